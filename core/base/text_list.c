#include "core/base/text_list.h"

#include "core/base/memory.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gg_text_list_free(struct gg_text_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct gg_text_list){0};
}

static void list_append(struct gg_text_list *list, const char *text, size_t length) {
    list->items = gg_realloc(list->items, (list->count + 1) * sizeof *list->items);
    list->items[list->count++] = gg_strndup(text, length);
}

/* Reads [a, "b c", d] into the list; false when it is not of that form. */
static bool list_parse_flow(struct gg_text_list *list, const char *text) {
    const char *p = text + 1;
    for (;;) {
        p += strspn(p, " \t\n");
        if (*p == ']')
            return p[1] == '\0';
        if (*p == '"') {
            char *item = gg_malloc(strlen(p) + 1);
            size_t length = 0;
            for (p++; *p != '\0' && *p != '"'; p++) {
                if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                    p++;
                item[length++] = *p;
            }
            const bool closed = *p == '"';
            if (closed)
                list_append(list, item, length);
            free(item);
            if (!closed)
                return false;
            p++;
        } else {
            size_t length = strcspn(p, ",]");
            const char *next = p + length;
            while (length > 0 && isspace((unsigned char)p[length - 1]))
                length--;
            if (length == 0)
                return false;
            list_append(list, p, length);
            p = next;
        }
        p += strspn(p, " \t\n");
        if (*p == ',')
            p++;
        else if (*p != ']')
            return false;
    }
}

void gg_text_list_set(struct gg_text_list *list, const char *const *items, size_t count) {
    gg_text_list_free(list);
    for (size_t i = 0; i < count; i++)
        list_append(list, items[i], strlen(items[i]));
}

bool gg_text_list_store(struct gg_text_list *list, const char *text) {
    if (text[0] == '[') {
        struct gg_text_list items = {0};
        if (!list_parse_flow(&items, text)) {
            gg_text_list_free(&items);
            return false;
        }
        gg_text_list_free(list);
        *list = items;
    } else if (*text != '\0') {
        list_append(list, text, strlen(text));
    }
    return true;
}

size_t gg_text_list_format(const struct gg_text_list *list, char *text, size_t bytes) {
    size_t length = 0;
#define PUT(c)                                                                                               \
    do {                                                                                                     \
        if (length + 1 < bytes)                                                                              \
            text[length] = (c);                                                                              \
        length++;                                                                                            \
    } while (0)
    PUT('[');
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) {
            PUT(',');
            PUT(' ');
        }
        PUT('"');
        for (const char *p = list->items[i]; *p != '\0'; p++) {
            if (*p == '"' || *p == '\\')
                PUT('\\');
            PUT(*p);
        }
        PUT('"');
    }
    PUT(']');
#undef PUT
    if (bytes > 0)
        text[length < bytes ? length : bytes - 1] = '\0';
    return length;
}

int gg_real_format(double value, char *text, size_t bytes) {
    char shortest[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*g", digits, value);
        if (strtod(shortest, NULL) == value)
            break;
    }
    return snprintf(text, bytes, "%s", shortest);
}
