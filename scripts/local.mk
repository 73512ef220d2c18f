# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += \
	scripts/common.sh scripts/bootstrap scripts/packages scripts/run scripts/test scripts/demo \
	scripts/lint scripts/check-layers scripts/check-size scripts/check-calls \
	scripts/check-docs scripts/check-conf scripts/conformance scripts/coverage .ci/run
