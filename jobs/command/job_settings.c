#include "jobs/command/job_settings.h"

#include "jobs/train/run_from.h"

#include <stdlib.h>
#include <string.h>

gg_status gg_job_settings_read(const struct gg_words *words, char *const *defaults,
                               struct gg_settings *settings) {
    for (int i = 0; defaults != NULL && defaults[i] != NULL; i++)
        GG_TRY(gg_settings_set_word(settings, defaults, i));
    int first = 0;
    if (words->count > 0 && strchr(words->items[0], '=') == NULL)
        GG_TRY(gg_settings_read_file(settings, words->items[first++]));
    for (int i = first; i < words->count; i++)
        GG_TRY(gg_settings_set_word(settings, words->items, i));
    GG_TRY(gg_run_from_settings(settings));
    return gg_settings_resolve(settings);
}

gg_status gg_job_settings(const struct gg_world *world, const struct gg_words *words, char *const *defaults,
                          struct gg_settings *settings) {
    GG_TRY(gg_agree(world->comm, world->rank == 0 ? gg_job_settings_read(words, defaults, settings) : GG_OK));
    char *yaml = world->rank == 0 ? gg_settings_yaml(settings) : NULL;
    gg_broadcast_text(world->comm, &yaml);
    gg_status status = GG_OK;
    if (world->rank != 0)
        status = gg_settings_read_text(settings, yaml, strlen(yaml), "the settings of rank 0");
    free(yaml);
    return gg_agree(world->comm, status);
}
