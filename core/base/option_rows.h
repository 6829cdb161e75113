/* Short forms of the rows of a table of options. Before the rows, GG_ROWS_OF is defined as the struct of values;
 * a row is put in braces, with .flags behind it where it has any:
 *
 *     {GG_ROW_INTEGER("model.layers", layers, 1, 1000, "6", "transformer blocks"), .flags = GG_SETTING_FIXED},
 */
#ifndef GG_CORE_BASE_OPTION_ROWS_H
#define GG_CORE_BASE_OPTION_ROWS_H

#include "core/base/options.h"

#define GG_ROW(NAME, TYPE, MEMBER, HELP)                                                                     \
    .name = (NAME), .type = (TYPE), .offset = offsetof(GG_ROWS_OF, MEMBER), .help = (HELP)
#define GG_ROW_INTEGER(NAME, MEMBER, LOW, HIGH, VALUE, HELP)                                                 \
    GG_ROW(NAME, GG_OPTION_INTEGER, MEMBER, HELP), .min = (LOW), .max = (HIGH), .default_text = (VALUE)
#define GG_ROW_REAL(NAME, MEMBER, LOW, HIGH, VALUE, HELP)                                                    \
    GG_ROW(NAME, GG_OPTION_REAL, MEMBER, HELP), .min = (LOW), .max = (HIGH), .default_text = (VALUE)
#define GG_ROW_SWITCH(NAME, MEMBER, VALUE, HELP)                                                             \
    GG_ROW(NAME, GG_OPTION_FLAG, MEMBER, HELP), .default_text = (VALUE)
#define GG_ROW_TEXT(NAME, MEMBER, VALUE, HELP)                                                               \
    GG_ROW(NAME, GG_OPTION_TEXT, MEMBER, HELP), .default_text = (VALUE)
#define GG_ROW_LIST(NAME, MEMBER, HELP) GG_ROW(NAME, GG_OPTION_LIST, MEMBER, HELP)
#define GG_ROW_CORPORA(NAME, MEMBER, MOST_WEIGHT, HELP)                                                      \
    GG_ROW(NAME, GG_OPTION_CORPORA, MEMBER, HELP), .max = (MOST_WEIGHT)
#define GG_ROW_CHOICE(NAME, MEMBER, NAMES, VALUE, HELP)                                                      \
    GG_ROW(NAME, GG_OPTION_CHOICE, MEMBER, HELP), .choices = (NAMES), .default_text = (VALUE)

#define GG_ROW_MANY 9e15 /* no limit but what a double counts */

#endif
