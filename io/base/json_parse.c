#include "io/base/json_parse.h"

gg_status gg_json_parse(const char *text, size_t bytes, json_t **root) {
    json_error_t error;
    *root = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &error);
    if (*root == NULL)
        return gg_fail(GG_BAD_DATA, "not JSON: line %d, column %d: %s", error.line, error.column, error.text);
    return GG_OK;
}
