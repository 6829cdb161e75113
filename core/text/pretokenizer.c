#include "core/text/pretokenizer.h"

#include "core/base/memory.h"
#include "core/text/gpt2_scanner.h"
#include "core/text/tokenizer_parts.h"
#include "core/text/utf8.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

struct gg_pretokenizer {
    pcre2_code *code; /* NULL: GPT-2's pattern, scanned by hand */
};

struct gg_word_scanner {
    const pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    pcre2_jit_stack *stack;
    size_t fragment_begin, fragment_end; /* a known stretch of whole UTF-8 characters; empty: none */
};

enum { JIT_STACK_FIRST_BYTES = 32 * 1024, JIT_STACK_MAX_BYTES = 8 * 1024 * 1024 };

/* Escapes that mean the same to PCRE2 and to the engines behind tokenizer.json. */
static bool is_portable_escape(char c) {
    const bool alphanumeric = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    return c != '\0' && (!alphanumeric || strchr("sSdDwWpPrntx", c) != NULL);
}

/* The pattern as PCRE2 is to see it, owned by the caller. */
static gg_status translate(const char *pattern, char **translated) {
    static const char space[] = "p{White_Space}", not_space[] = "P{White_Space}";
    char *out = gg_malloc(strlen(pattern) * sizeof space + 1);
    size_t length = 0;
    bool in_class = false;
    gg_status status = GG_OK;
    for (const char *p = pattern; *p != '\0' && status == GG_OK; p++) {
        out[length++] = *p;
        if (*p == '\\' && !is_portable_escape(p[1])) {
            status =
                gg_fail(GG_BAD_DATA, "the escape \\%c of the pattern '%s' is not supported", p[1], pattern);
        } else if (*p == '\\' && (p[1] == 's' || p[1] == 'S')) {
            memcpy(out + length, p[1] == 's' ? space : not_space, sizeof space - 1);
            length += sizeof space - 1;
            p++;
        } else if (*p == '\\') {
            out[length++] = *++p;
        } else if (*p == '[') {
            in_class = true;
            if (p[1] == '^')
                out[length++] = *++p;
        } else if (*p == ']') {
            in_class = false;
        } else if (in_class ? p[0] == '&' && p[1] == '&' : *p == '^') {
            status = gg_fail(GG_BAD_DATA, "%s of the pattern '%s' is not supported",
                             in_class ? "an intersection of classes" : "the anchor ^", pattern);
        }
    }
    out[length] = '\0';
    *translated = out;
    return status;
}

static gg_status compile(const char *pattern, const char *translated, pcre2_code **code) {
    int error;
    size_t offset;
    *code = pcre2_compile((PCRE2_SPTR)translated, PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP, &error,
                          &offset, NULL);
    if (*code == NULL) {
        char reason[256];
        pcre2_get_error_message(error, (PCRE2_UCHAR *)reason, sizeof reason);
        return gg_fail(GG_BAD_DATA, "the pattern '%s' does not compile: %s", pattern, reason);
    }
    uint32_t look_behind = 0;
    pcre2_pattern_info(*code, PCRE2_INFO_MAXLOOKBEHIND, &look_behind);
    if (look_behind > 0)
        return gg_fail(GG_BAD_DATA, "the pattern '%s' looks at text before a word, which is not supported",
                       pattern);
    /* Without JIT the interpreter matches the same, slower. */
    (void)pcre2_jit_compile(*code, PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
    return GG_OK;
}

gg_status gg_pretokenizer_create(const char *pattern, gg_pretokenizer **pretokenizer) {
    *pretokenizer = gg_calloc(1, sizeof **pretokenizer);
    if (strcmp(pattern, GG_PATTERN_GPT2) == 0)
        return GG_OK;
    char *translated;
    gg_status status = translate(pattern, &translated);
    if (status == GG_OK)
        status = compile(pattern, translated, &(*pretokenizer)->code);
    free(translated);
    if (status != GG_OK)
        gg_pretokenizer_destroy(pretokenizer);
    return status;
}

void gg_pretokenizer_destroy(gg_pretokenizer **pretokenizer) {
    if (*pretokenizer == NULL)
        return;
    pcre2_code_free((*pretokenizer)->code);
    free(*pretokenizer);
    *pretokenizer = NULL;
}

gg_status gg_word_scanner_create(const gg_pretokenizer *pretokenizer, gg_word_scanner **scanner) {
    *scanner = gg_calloc(1, sizeof **scanner);
    if (pretokenizer->code == NULL)
        return GG_OK;
    (*scanner)->code = pretokenizer->code;
    (*scanner)->match = pcre2_match_data_create_from_pattern(pretokenizer->code, NULL);
    (*scanner)->context = pcre2_match_context_create(NULL);
    if ((*scanner)->match == NULL || (*scanner)->context == NULL) {
        gg_word_scanner_destroy(scanner);
        return gg_fail(GG_RESOURCE, "no memory to match a tokenizer's pattern");
    }
    (*scanner)->stack = pcre2_jit_stack_create(JIT_STACK_FIRST_BYTES, JIT_STACK_MAX_BYTES, NULL);
    if ((*scanner)->stack != NULL)
        pcre2_jit_stack_assign((*scanner)->context, NULL, (*scanner)->stack);
    return GG_OK;
}

void gg_word_scanner_destroy(gg_word_scanner **scanner) {
    if (*scanner == NULL)
        return;
    pcre2_match_data_free((*scanner)->match);
    pcre2_match_context_free((*scanner)->context);
    pcre2_jit_stack_free((*scanner)->stack);
    free(*scanner);
    *scanner = NULL;
}

void gg_word_scanner_reset(gg_word_scanner *scanner) {
    scanner->fragment_begin = scanner->fragment_end = 0;
}

/* End of the characters, or of the stray bytes, that begin at `at`. */
static size_t stretch_end(const char *text, size_t at, size_t end, bool characters) {
    uint32_t code;
    while (at < end) {
        const size_t length = gg_utf8_decode(text + at, end - at, &code);
        if ((length > 0) != characters)
            break;
        at += characters ? length : 1;
    }
    return at;
}

/* The first match within the fragment from `begin` on. */
static gg_status match(gg_word_scanner *scanner, const char *text, size_t begin, bool complete,
                       size_t *word_end) {
    const size_t base = scanner->fragment_begin, end = scanner->fragment_end;
    const uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY | (complete ? 0 : PCRE2_PARTIAL_HARD);
    const int result = pcre2_match(scanner->code, (PCRE2_SPTR)text + base, end - base, begin - base, options,
                                   scanner->match, scanner->context);
    const size_t *found = pcre2_get_ovector_pointer(scanner->match);
    if (result > 0 && found[0] + base > begin) {
        *word_end = found[0] + base; /* the text between two matches */
    } else if (result > 0) {
        *word_end = found[1] + base;
    } else if (result == PCRE2_ERROR_PARTIAL || result == PCRE2_ERROR_NOMATCH) {
        *word_end = complete ? end : begin;
    } else {
        char reason[256];
        pcre2_get_error_message(result, (PCRE2_UCHAR *)reason, sizeof reason);
        return gg_fail(GG_BAD_DATA, "the tokenizer's pattern cannot be matched here: %s", reason);
    }
    return GG_OK;
}

gg_status gg_word_end(gg_word_scanner *scanner, const char *text, size_t begin, size_t end, bool last,
                      size_t *word_end) {
    if (scanner->code == NULL) {
        *word_end = gg_gpt2_word_end(text, begin, end, last);
        return GG_OK;
    }
    if (begin >= scanner->fragment_end) {
        const size_t characters_end = stretch_end(text, begin, end, true);
        if (characters_end == begin) {
            const size_t stray_end = stretch_end(text, begin, end, false);
            /* The last bytes may be a character that is not all there. */
            *word_end = last || end - stray_end >= GG_UTF8_MAX_BYTES ? stray_end : begin;
            return GG_OK;
        }
        scanner->fragment_begin = begin;
        scanner->fragment_end = characters_end;
    }
    const bool complete = last || end - scanner->fragment_end >= GG_UTF8_MAX_BYTES;
    return match(scanner, text, begin, complete, word_end);
}
