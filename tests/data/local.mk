# SPDX-License-Identifier: BSD-2-Clause
# Files that tests read: EXTRA_DIST += tests/data/NAME.
EXTRA_DIST += tests/data/group-oscore.json tests/data/conformance.tsv tests/data/store-1.sql
