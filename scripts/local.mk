# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += \
	scripts/bootstrap scripts/run scripts/test scripts/packages \
	scripts/lint scripts/check-layers scripts/check-size scripts/check-docs \
	scripts/coverage .ci/run
