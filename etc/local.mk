# SPDX-License-Identifier: BSD-2-Clause
# The shipped configuration never replaces one that is there.
EXTRA_DIST += etc/coapcast.yaml etc/examples

install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(sysconfdir)/coapcast/conf.d'
	test -e '$(DESTDIR)$(sysconfdir)/coapcast/coapcast.yaml' || $(INSTALL_DATA) \
		'$(srcdir)/etc/coapcast.yaml' '$(DESTDIR)$(sysconfdir)/coapcast/coapcast.yaml'
	$(MKDIR_P) '$(DESTDIR)$(docdir)/examples'
	for f in '$(srcdir)'/etc/examples/*; do \
		test ! -f "$$f" || $(INSTALL_DATA) "$$f" '$(DESTDIR)$(docdir)/examples/' || exit 1; \
	done

# distcheck wants the place to be empty again; a changed configuration stays.
uninstall-local:
	if cmp -s '$(srcdir)/etc/coapcast.yaml' \
		'$(DESTDIR)$(sysconfdir)/coapcast/coapcast.yaml'; then \
		rm -f '$(DESTDIR)$(sysconfdir)/coapcast/coapcast.yaml'; \
	fi
	for f in '$(srcdir)'/etc/examples/*; do \
		rm -f "$(DESTDIR)$(docdir)/examples/$${f##*/}"; \
	done
	-rmdir '$(DESTDIR)$(sysconfdir)/coapcast/conf.d' '$(DESTDIR)$(sysconfdir)/coapcast' \
		'$(DESTDIR)$(docdir)/examples' 2>/dev/null
