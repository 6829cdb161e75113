/* The machine: nodes on a fat tree of two levels, for SimGrid. */
#include "tests/scale/simulation.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Leaf switches with 32 nodes below and a link to each of 32 spines: as many links up as down. Smaller jobs take the
 * first nodes of it, so that 32 nodes share a leaf. */
enum { SWITCH_PORTS = 32, NODES = SWITCH_PORTS * SWITCH_PORTS };

static const char header[] = "<?xml version='1.0'?>\n"
                             "<!DOCTYPE platform SYSTEM \"https://simgrid.org/simgrid.dtd\">\n"
                             "<platform version=\"4.1\">\n";

static void write_platform(const struct simulation *s, FILE *file) {
    fprintf(file,
            "%s<cluster id=\"cluster\" prefix=\"node\" suffix=\"\" radical=\"0-%d\" speed=\"1Gf\" core=\"%d\""
            " bw=\"%.6gGBps\" lat=\"%.6gus\" loopback_bw=\"%.6gGBps\" loopback_lat=\"%.6gus\""
            " topology=\"FAT_TREE\" topo_parameters=\"2;%d,%d;1,%d;1,1\"/>\n</platform>\n",
            header, NODES - 1, (int)s->ranks_per_node, s->gigabytes, s->link_microseconds, s->node_gigabytes,
            s->node_microseconds, SWITCH_PORTS, SWITCH_PORTS, SWITCH_PORTS);
}

static void write_deployment(const struct simulation *s, FILE *file) {
    fputs(header, file);
    for (int64_t rank = 0; rank < s->nodes * s->ranks_per_node; rank++)
        fprintf(file,
                "<actor host=\"node%d\" function=\"rank\"><prop id=\"instance_id\" value=\"rank\"/>"
                "<prop id=\"rank\" value=\"%d\"/></actor>\n",
                (int)(rank / s->ranks_per_node), (int)rank);
    fputs("</platform>\n", file);
}

static gg_status write_file(const struct simulation *s, const char *path,
                            void (*write)(const struct simulation *, FILE *)) {
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return gg_fail(GG_STORAGE, "%s cannot be written: %s", path, strerror(errno));
    write(s, file);
    const int failed = ferror(file);
    if (fclose(file) != 0 || failed)
        return gg_fail(GG_STORAGE, "%s could not be written: %s", path, strerror(errno));
    return GG_OK;
}

gg_status fat_tree_write(const struct simulation *simulation, const char *platform_path,
                         const char *deployment_path) {
    GG_TRY(write_file(simulation, platform_path, write_platform));
    return write_file(simulation, deployment_path, write_deployment);
}
