/* Parts of values and their texts (core/base/options.c), for corpora.c and options_yaml.c. Local.
 */
#ifndef GG_CORE_BASE_OPTIONS_INTERNAL_H
#define GG_CORE_BASE_OPTIONS_INTERNAL_H

#include "core/base/options.h"

void gg_option_list_clear(struct gg_text_list *list);

/* Replaces the list by `count` copies of `items`. */
void gg_option_list_set(struct gg_text_list *list, const char *const *items, size_t count);

/* Appends a text, or sets the list whole where it is of the form [a, "b c"]; false where it is neither. */
bool gg_option_list_store(struct gg_text_list *list, const char *text);

/* As gg_options_format: a list, and the shortest decimal that reads back to the same double. */
size_t gg_option_list_format(const struct gg_text_list *list, char *text, size_t bytes);
int gg_option_real_format(double value, char *text, size_t bytes);

#endif
