# SPDX-License-Identifier: BSD-2-Clause
# Programs that test scripts use: a client that says what it is told, a reader of
# captures, the service manager's side of sd_notify, a server with topics that cannot be
# read, a client's half of OSCORE, a flood of DTLS handshakes that nobody means, sessions that
# are begun and go no further, and many that observe.
check_tools += tests/tools/talk tests/tools/packets tests/tools/heed tests/tools/listing \
	tests/tools/ward tests/tools/halfway tests/tools/hellos tests/tools/streams
tests_tools_talk_SOURCES = tests/tools/talk.c tests/tools/show.c tests/tools/show.h
tests_tools_packets_SOURCES = tests/tools/packets.c tests/tools/show.c tests/tools/show.h
tests_tools_ward_SOURCES = tests/tools/ward.c tests/tools/stream.c tests/tools/stream.h \
	tests/tools/show.c tests/tools/show.h
tests_tools_halfway_SOURCES = tests/tools/halfway.c tests/tools/hello.h
tests_tools_hellos_SOURCES = tests/tools/hellos.c tests/tools/hello.h
tests_tools_streams_SOURCES = tests/tools/streams.c
tests_tools_heed_SOURCES = tests/tools/heed.c
tests_tools_listing_SOURCES = tests/tools/listing.c

# Put before the C library by LD_PRELOAD: a wall clock that is set.
check_SCRIPTS += tests/tools/clockstep.so
CLEANFILES += tests/tools/clockstep.so
EXTRA_DIST += tests/tools/clockstep.c
tests/tools/clockstep.so: tests/tools/clockstep.c
	@$(MKDIR_P) tests/tools
	$(AM_V_CC)$(CC) -D_GNU_SOURCE $(WARN_CFLAGS) $(CFLAGS) -shared -fPIC -o $@ \
		$(srcdir)/tests/tools/clockstep.c
tests: tests/tools/clockstep.so
# A disk that fails, to be preloaded; tests of the store have it in themselves.
disk_preload = tests/tools/disk.so
tests/tools/disk.so: tests/tools/disk.c tests/tools/disk.h
	$(AM_V_CC)$(MKDIR_P) tests/tools && $(CC) -std=gnu11 -include config.h -I. $(WARN_CFLAGS) \
		$(CFLAGS) -fPIC -shared -o $@ $(srcdir)/tests/tools/disk.c
check_DATA = $(disk_preload)
CLEANFILES += $(disk_preload)
EXTRA_DIST += tests/tools/disk.c tests/tools/disk.h
