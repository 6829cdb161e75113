# The loss curve of a run. Called by quickstart.sh:
#   gnuplot -e "train='T'; val='V'; out='O.svg'; name='...'" loss_curve.gp
# T and V: a line of "step loss" each.
set terminal svg size 900,560 font "Helvetica,15" background rgb "white" linewidth 1.2
set output out
set title name noenhanced
set xlabel "optimizer step"
set ylabel "loss (nats per token)"
set border 3
set tics nomirror out
set grid ytics lc rgb "#dddddd" lt 1
set key top right samplen 2
set xrange [0:*]
set offsets 0, 0, 0.1, 0.1
plot train using 1:2 with lines lc rgb "#9ecae1" lw 1 title "training, each step", \
     train using 1:2 smooth bezier with lines lc rgb "#08519c" lw 2 title "training, smoothed", \
     val using 1:2 with linespoints lc rgb "#e6550d" lw 2 pt 7 ps 0.7 title "validation"
