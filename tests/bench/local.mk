# SPDX-License-Identifier: BSD-2-Clause
# Programs that tests/bench/run needs: bench_programs += tests/bench/NAME.
bench_programs =
EXTRA_PROGRAMS += $(bench_programs)
