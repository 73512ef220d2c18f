# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Certificates for tests that source tests/lib.sh, in $tmp, by the openssl command line.

# authority NAME: NAME.crt and NAME.key sign themselves.
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-keyout "$tmp/$1.key" -out "$tmp/$1.crt" -subj "/CN=$1" 2>/dev/null &&
		chmod 600 "$tmp/$1.key"
}

# certificate NAME SUBJECT ISSUER [OPTION-OF-OPENSSL-X509...]: SUBJECT is /O=x/CN=y or just y.
certificate() {
	local name=$1 subject=$2 issuer=$3
	shift 3
	[[ $subject == /* ]] || subject=/CN=$subject
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$tmp/$name.key" \
		-out "$tmp/$name.csr" -subj "$subject" 2>/dev/null &&
		openssl x509 -req -in "$tmp/$name.csr" -CA "$tmp/$issuer.crt" \
			-CAkey "$tmp/$issuer.key" -CAcreateserial -out "$tmp/$name.crt" -days 2 "$@" \
			2>/dev/null &&
		chmod 600 "$tmp/$name.key"
}

# extensions NAME LINE...: NAME.ext, for the option -extfile of openssl x509.
extensions() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$tmp/$name.ext"
}
