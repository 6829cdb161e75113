/* Lists of texts, and numbers as texts. All local.
 */
#ifndef GG_CORE_BASE_TEXT_LIST_H
#define GG_CORE_BASE_TEXT_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* A list of strings, owned. Zero it to begin. */
struct gg_text_list {
    char **items;
    size_t count;
};

/* Frees the strings; the list is empty afterwards. */
void gg_text_list_free(struct gg_text_list *list);

/* Replaces the list by `count` copies of `items`. */
void gg_text_list_set(struct gg_text_list *list, const char *const *items, size_t count);

/* Appends a text, or sets the list whole where it is of the form [a, "b c"]; nothing for "". False, and nothing done,
 * where it begins like such a list and is none. */
bool gg_text_list_store(struct gg_text_list *list, const char *text);

/* Writes the list as [a, "b c"], all of it quoted, as gg_text_list_store() reads it. Returns the length snprintf would.
 */
size_t gg_text_list_format(const struct gg_text_list *list, char *text, size_t bytes);

/* Writes the shortest decimal that reads back to the same double; 40 bytes hold any. Returns the length snprintf
 * would. */
int gg_real_format(double value, char *text, size_t bytes);

#endif
