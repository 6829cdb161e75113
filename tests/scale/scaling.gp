# Efficiency over nodes, of each way and network. Called by simulate.sh:
#   gnuplot -e "csv='scaling.csv'; out='scaling.svg'" scaling.gp
set terminal svg size 1100,540 font "Helvetica,14" background rgb "white" linewidth 1.2
set output out
set datafile separator ","
set logscale x 2
set xlabel "nodes of 4 ranks"
set ylabel "efficiency (%)"
set bmargin 9
set border 3
set tics nomirror out
set grid ytics lc rgb "#dddddd" lt 1
set xtics (4, 16, 64, 256, 1024)
set xrange [3:1400]
set yrange [0:105]
set key below center maxcols 2 samplen 2 width -3
file(model, gbit, way) = sprintf("< awk -F, '$1 == \"%s\" && $2 == %d && $5 == \"%s\" && $6 != \"whole\"' '%s'", model, gbit, way, csv)
set multiplot layout 1,2
do for [model in "gpt2-124m gpt2-1558m"] {
    set title model noenhanced
    plot file(model, 100, "tree") using 3:(100 * $9) with linespoints lc rgb "#08519c" lw 2 pt 7 title "tree, 100 Gbit/s", \
         file(model, 100, "library") using 3:(100 * $9) with linespoints lc rgb "#31a354" lw 2 pt 7 title "ring, 100 Gbit/s", \
         file(model, 100, "pairwise") using 3:(100 * $9) with linespoints lc rgb "#e6550d" lw 2 pt 7 title "pairwise, 100 Gbit/s", \
         file(model, 10, "tree") using 3:(100 * $9) with linespoints lc rgb "#08519c" lw 2 dt 2 pt 6 title "tree, 10 Gbit/s", \
         file(model, 10, "library") using 3:(100 * $9) with linespoints lc rgb "#31a354" lw 2 dt 2 pt 6 title "ring, 10 Gbit/s", \
         file(model, 10, "pairwise") using 3:(100 * $9) with linespoints lc rgb "#e6550d" lw 2 dt 2 pt 6 title "pairwise, 10 Gbit/s"
}
unset multiplot
