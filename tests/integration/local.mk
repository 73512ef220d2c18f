# SPDX-License-Identifier: BSD-2-Clause
# The real daemon and a real coap-client on loopback; TAP, see tests/lib.sh.
dist_check_SCRIPTS += \
	tests/integration/smoke.sh \
	tests/integration/access.sh \
	tests/integration/addresses.sh \
	tests/integration/blockwise.sh \
	tests/integration/blockwise_observe.sh \
	tests/integration/cli_group.sh \
	tests/integration/cli_large_offer.sh \
	tests/integration/cli_oscore.sh tests/integration/cli_group_keys.sh \
	tests/integration/oscore_restart.sh \
	tests/integration/cli_oscore_group.sh \
	tests/integration/cli_output.sh \
	tests/integration/cli_progress.sh \
	tests/integration/cli_restart.sh \
	tests/integration/cli_revive.sh \
	tests/integration/cli_several.sh \
	tests/integration/cli_status.sh \
	tests/integration/cli_sub.sh \
	tests/integration/cli_topic.sh \
	tests/integration/cli_topics.sh \
	tests/integration/certificates.sh \
	tests/integration/certificates_renewed.sh \
	tests/integration/client.sh \
	tests/integration/clock.sh \
	tests/integration/conditions.sh \
	tests/integration/count.sh \
	tests/integration/descriptors.sh \
	tests/integration/dismissed.sh \
	tests/integration/early.sh \
	tests/integration/farewell.sh \
	tests/integration/flood.sh \
	tests/integration/handshakes.sh tests/integration/hellos.sh \
	tests/integration/insecure.sh \
	tests/integration/introspect.sh \
	tests/integration/keep.sh \
	tests/integration/keep_fault.sh \
	tests/integration/promise.sh tests/integration/announce.sh tests/integration/powercut.sh \
	tests/integration/keygen.sh \
	tests/integration/limits.sh tests/integration/limits_sessions.sh \
	tests/integration/limits_wait.sh \
	tests/integration/lives.sh \
	tests/integration/metrics.sh \
	tests/integration/numbers.sh \
	tests/integration/oscore.sh \
	tests/integration/oscore_disk.sh \
	tests/integration/oscore_sessions.sh \
	tests/integration/crowd.sh \
	tests/integration/pace.sh \
	tests/integration/reload.sh \
	tests/integration/sessions.sh \
	tests/integration/signals.sh \
	tests/integration/startup.sh tests/integration/streams.sh \
	tests/integration/transports.sh \
	tests/integration/unaware.sh

# Modules that are sockets and nothing else, with real ones.
if HAVE_CHECK
udp_test_sources = tests/unit/unit.h \
	tests/integration/host.c tests/integration/host.h \
	tests/integration/peer.c tests/integration/peer.h
check_PROGRAMS += tests/integration/test_udp tests/integration/test_udpgroup
check_PROGRAMS += tests/integration/test_coapd
tests_integration_test_coapd_SOURCES = tests/integration/test_coapd.c tests/unit/unit.h
tests_integration_test_udp_SOURCES = tests/integration/test_udp.c $(udp_test_sources)
tests_integration_test_udpgroup_SOURCES = tests/integration/test_udpgroup.c $(udp_test_sources)

# Keys in a directory, for both ends.
check_PROGRAMS += tests/integration/test_keygen
tests_integration_test_keygen_SOURCES = tests/integration/test_keygen.c tests/unit/oscore_bed.h \
	tests/unit/json_vectors.h tests/unit/unit.h

# The store in a directory, on disks that fail, and with databases that are damaged.
store_tests = tests/integration/test_store tests/integration/test_storefault \
	tests/integration/test_storecut tests/integration/test_storedamage \
	tests/integration/test_storeold tests/integration/test_storesteps \
	tests/integration/test_ssnstore \
	tests/integration/test_keep
store_test_sources = tests/unit/unit.h tests/tools/disk.c tests/tools/disk.h \
	tests/integration/storebed.c tests/integration/storebed.h
check_PROGRAMS += $(store_tests)
tests_integration_test_store_SOURCES = tests/integration/test_store.c $(store_test_sources)
tests_integration_test_ssnstore_SOURCES = tests/integration/test_ssnstore.c $(store_test_sources)
tests_integration_test_keep_SOURCES = tests/integration/test_keep.c $(store_test_sources)
tests_integration_test_storefault_SOURCES = tests/integration/test_storefault.c \
	$(store_test_sources)
tests_integration_test_storecut_SOURCES = tests/integration/test_storecut.c $(store_test_sources)
old_test_sources = tests/integration/oldbed.c tests/integration/oldbed.h $(store_test_sources)
tests_integration_test_storeold_SOURCES = tests/integration/test_storeold.c $(old_test_sources)
tests_integration_test_storesteps_SOURCES = tests/integration/test_storesteps.c $(old_test_sources)
tests_integration_test_storedamage_SOURCES = tests/integration/test_storedamage.c \
	$(store_test_sources)
endif
