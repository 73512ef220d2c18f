# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: BSD-2-Clause
#
# Whether a nonce was used twice, by what is in captures. Sourced after tests/lib.sh.

# piv_pairs SERVER CAPTURE...: of each message with object security a line: the key, as far as
# it can be told from outside (who sends, and to whom), the number, and what was protected. An
# answer without a number of its own has that of its request. Each client has keys of its own,
# and each capture one generation of a group's.
piv_pairs() {
	local server=$1 name
	shift
	for name; do
		"$packets" -r "$tmp/$name.pcap"
	done | awk -v server="$server" '
		function host(a) { sub(/:[0-9]+$/, "", a); return a }
		{
			option = token = raw = ""
			found = 0
			for (i = 6; i <= NF; i++) {
				if ($i ~ /^9=/) { option = substr($i, 3); found = 1 }
				if ($i ~ /^token=/) token = substr($i, 7)
				if ($i ~ /^raw=/) raw = substr($i, 5)
			}
			if (!found)
				next
			n = option == "" ? 0 : index("01234567", substr(option, 2, 1)) - 1
			if (n < 0)
				n = index("89abcdef", substr(option, 2, 1)) - 1
			piv = substr(option, 3, 2 * n)
			if ($2 == server) {
				key = $4 ~ /^(2[23][0-9]\.|\[ff)/ ? "group" : "to:" host($4)
				if (n == 0)
					piv = "request:" asked[$4 " " token]
			} else if ($4 == server) {
				key = "from:" host($2)
				asked[$2 " " token] = piv
			} else {
				next
			}
			# The first four bytes differ when the same is sent again.
			print key, piv, substr(raw, 9)
		}'
}

# twice: of such lines, the keys and numbers that protected two different things.
twice() {
	sort -u | cut -d' ' -f1,2 | uniq -d
}
