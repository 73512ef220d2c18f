# SPDX-License-Identifier: BSD-2-Clause
EXTRA_DIST += systemd/coapcastd.service.in
CLEANFILES += systemd/coapcastd.service

# Not by configure: the paths are only known to make.
systemd/coapcastd.service: systemd/coapcastd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && $(SED) -e 's|@sbindir[@]|$(sbindir)|g' \
		-e 's|@sysconfdir[@]|$(sysconfdir)|g' $(srcdir)/systemd/coapcastd.service.in >$@.tmp && \
		mv -f $@.tmp $@

if HAVE_SYSTEMD
systemdsystemunit_DATA = systemd/coapcastd.service
endif
