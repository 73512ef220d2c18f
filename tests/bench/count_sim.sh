#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# make count-sim: rough counting simulated (tests/bench/count_sim.c) with 1, 10, 1,000 and
# 100,000 clients and 0 to 30 % loss, half of whom leave and come back. Leaves
# count-sim.tsv, count-sim-loss.tsv, and count-sim.svg when gnuplot is there, in the folder
# it is called in; prints estimate over truth (the second of these), without the five
# rounds after a change. The same seed gives the same picture: doc/rough-counting.svg.
#
#	top_builddir=DIR tests/bench/count_sim.sh [ROUNDS [SEED]]
set -eu
export LC_ALL=C

: "${top_builddir:=$(pwd)}"
"$top_builddir/tests/bench/count_sim" "$@" >count-sim.tsv

awk -F '\t' '
NR == 1 { next }
{
	if ($1 != clients || $2 != loss || $4 != truth) { clients = $1; loss = $2; truth = $4; age = 0 }
	key = $1 "\t" $2
	if (!(key in n)) { keys[++n_keys] = key; n[key] = 0 }
	if ($4 > 0) wrongly[key] += $8
	if (++age <= 5 || $4 == 0) next
	r = $5 / $4; n[key]++; sum[key] += r; sum2[key] += r * r; answers[key] += $7
	if (n[key] == 1 || r < least[key]) least[key] = r
	if (n[key] == 1 || r > most[key]) most[key] = r
}
END {
	print "clients\tloss\testimate/truth\tdeviation\tleast\tmost\tanswers/round\tcancelled wrongly"
	for (i = 1; i <= n_keys; i++) {
		k = keys[i]; m = n[k] ? sum[k] / n[k] : 0; v = n[k] ? sum2[k] / n[k] - m * m : 0
		printf "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.1f\t%d\n", k, m, sqrt(v > 0 ? v : 0), least[k],
			most[k], n[k] ? answers[k] / n[k] : 0, wrongly[k]
	}
}' count-sim.tsv | tee count-sim-loss.tsv

if ! command -v gnuplot >/dev/null; then
	echo "count-sim: no gnuplot, no picture" >&2
	exit 0
fi
gnuplot <<'END'
set terminal svg size 900,380 background "white"
set output "count-sim.svg"
set datafile separator "\t"
set multiplot layout 1,2
set title "All: estimate over truth, mean and deviation"
set xlabel "loss each way, %"
set xrange [-3:33]
set yrange [0:2]
set xtics 10
set key top right
plot for [i=1:4] "count-sim-loss.tsv" \
	using ($1 == word("1 10 1000 100000", i) + 0 ? $2 + i - 2.5 : NaN):3:4 \
	with yerrorbars linewidth 1.5 pointtype 7 pointsize 0.5 \
	title word("1 10 1,000 100,000", i).(i == 1 ? " client" : " clients"), \
	(1 - x / 100) ** 2 linecolor "black" dashtype 2 title "what loss leaves"
set title "1,000 clients, half of whom leave and come back"
set xlabel "round"
set xrange [0:*]
set yrange [0:2500]
set xtics auto
plot for [loss in "0 10 20 30"] "count-sim.tsv" \
	using ($1 == 1000 && $2 == loss + 0 ? $3 : NaN):5 with lines title loss." % loss", \
	"" using ($1 == 1000 && $2 == 0 ? $3 : NaN):4 with steps linewidth 2 \
	linecolor "black" title "truth"
unset multiplot
END
echo "count-sim: count-sim.tsv count-sim-loss.tsv count-sim.svg" >&2
