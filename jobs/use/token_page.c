#include "jobs/use/token_page.h"

#include "core/text/utf8.h"

#include <math.h>
#include <string.h>

enum { SUMMARY_BYTES = 240, LEVELS = 10 };

/* A token of at least so many bits is of the level. */
static const double level_bits[LEVELS] = {0, 0.5, 1, 2, 3, 4, 6, 8, 10, 13};

/* The colour lies over the page's own, so that it does for light and dark. */
static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
static const char style[] =
    "</title>\n<style>\n"
    ":root { color-scheme: light dark; --line: #8888; }\n"
    "body { font: 1rem/1.7 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }\n"
    "h1 { font-size: 1.2rem; overflow-wrap: anywhere; }\n"
    "h2 { font-size: 1rem; margin: 2rem 0 .3rem; border-bottom: 1px solid var(--line); }\n"
    "header p, .legend { font-size: .85rem; }\n"
    ".legend span { padding: .1rem .4rem; display: inline-block; }\n"
    ".text { font: .95rem/1.9 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }\n"
    "details { display: inline-block; } summary { display: inline; }\n"
    "@supports selector(::details-content) {\n" /* lines then break between words, and not between tokens */
    "details { display: inline; } details::details-content { display: none; } "
    "details[open]::details-content { display: inline; }\n}\n"
    "summary { list-style: none; cursor: pointer; border-radius: 2px; padding: .12em 0; box-shadow: inset 1px 0 "
    "var(--line); }\n"
    "summary::-webkit-details-marker { display: none; }\n"
    "summary:hover, summary:focus-visible { outline: 2px solid; }\n"
    "details[open] > div { display: inline-block; vertical-align: top; white-space: normal; max-width: 100%; "
    "box-sizing: border-box; margin: .2rem .3rem; padding: .3rem .5rem; border: 1px solid; border-radius: 4px; "
    "font: .8rem/1.4 system-ui, sans-serif; }\n"
    "td { padding: 0 .8em 0 0; vertical-align: top; }\n"
    "td:first-child { font-family: ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }\n"
    "td + td { text-align: right; font-variant-numeric: tabular-nums; }\n"
    "tr.said td { font-weight: bold; }\n"
    ".byte { font-size: .75em; border: 1px solid var(--line); border-radius: 3px; padding: 0 .2em; }\n"
    ".mark { opacity: .6; }\n";

/* A character as HTML; white space that does not show otherwise gets a mark.
 *   spaces [in] spaces get one too */
static void put_character(FILE *out, const char *text, size_t length, uint32_t code, bool spaces) {
    if (code == ' ' && spaces)
        fputs("<span class=\"mark\">\xE2\x90\xA3</span>", out);
    else if (code == '&')
        fputs("&amp;", out);
    else if (code == '<')
        fputs("&lt;", out);
    else if (code == '>')
        fputs("&gt;", out);
    else if (code == '\n')
        fputs("<span class=\"mark\">\xE2\x86\xB5</span>", out);
    else if (code == '\t')
        fputs("<span class=\"mark\">\xE2\x87\xA5</span>", out);
    else if (code < 0x20 || (code >= 0x7F && code < 0xA0))
        fprintf(out, "<span class=\"byte\">U+%04X</span>", (unsigned)code);
    else
        fwrite(text, 1, length, out);
}

/* Text as HTML; bytes that are no UTF-8, as those of a character that is several tokens, by their numbers. */
static void put_text(FILE *out, const char *text, size_t bytes, bool spaces) {
    for (size_t at = 0; at < bytes;) {
        uint32_t code;
        const size_t length = gg_utf8_decode(text + at, bytes - at, &code);
        if (length == 0)
            fprintf(out, "<span class=\"byte\">%02X</span>", (unsigned)(unsigned char)text[at]);
        else
            put_character(out, text + at, length, code, spaces);
        at += length > 0 ? length : 1;
    }
}

static void put_token(FILE *out, const gg_tokenizer *tokenizer, int32_t id, bool spaces) {
    size_t length = 0;
    const char *bytes = gg_token_bytes(tokenizer, (uint32_t)id, &length);
    if (bytes == NULL || length == 0)
        fprintf(out, "<span class=\"byte\">%d</span>", (int)id);
    else
        put_text(out, bytes, length, spaces);
}

static void put_legend(FILE *out) {
    fputs("<p class=\"legend\">Surprise in bits, -log2 of the probability: ", out);
    for (int level = 0; level < LEVELS; level++) {
        if (level + 1 < LEVELS)
            fprintf(out, "<span class=\"s%d\">%g&ndash;%g</span>", level, level_bits[level],
                    level_bits[level + 1]);
        else
            fprintf(out, "<span class=\"s%d\">%g and more</span>", level, level_bits[level]);
    }
    fputs("<br>A token opens the likeliest in its place.</p>\n</header>\n<main>\n", out);
}

void gg_token_page_begin(struct gg_token_page *page, const struct gg_result_file *file,
                         const gg_tokenizer *tokenizer, const char *title) {
    FILE *out = file->out;
    *page = (struct gg_token_page){.file = file, .tokenizer = tokenizer, .document = -1};
    fputs(head, out);
    put_text(out, title, strlen(title), false);
    fputs(style, out);
    for (int level = 1; level < LEVELS; level++)
        fprintf(out, ".s%d { background: rgba(230, 80, 0, %.2f); }\n", level, 0.075 * level);
    fputs("</style>\n</head>\n<body>\n<header>\n<h1>", out);
    put_text(out, title, strlen(title), false);
    fputs("</h1>\n<p>", out);
    page->summary = ftell(out);
    fprintf(out, "%*s</p>\n", (int)SUMMARY_BYTES, "");
    put_legend(out);
}

static double bits_of(float log_probability) {
    return -(double)log_probability / log(2.0);
}

static int level_of(double bits) {
    int level = 0;
    while (level + 1 < LEVELS && !(bits < level_bits[level + 1]))
        level++;
    return level;
}

static void put_alternative(const struct gg_token_page *page, int32_t id, float log_probability, bool said) {
    FILE *out = page->file->out;
    fputs(said ? "<tr class=\"said\"><td>" : "<tr><td>", out);
    put_token(out, page->tokenizer, id, true);
    fprintf(out, "<td>%.2f%%", 100 * exp((double)log_probability));
}

void gg_token_page_write(struct gg_token_page *page, const struct gg_token_record *token) {
    FILE *out = page->file->out;
    const double bits = bits_of(token->log_probability);
    size_t length = 0;
    if (page->document != token->document) {
        fprintf(out, "%s<h2>Document %lld</h2>\n<div class=\"text\">", page->document >= 0 ? "</div>\n" : "",
                (long long)token->document);
        page->document = token->document;
    }
    fprintf(out, "<details><summary class=\"s%d\">", level_of(bits));
    put_token(out, page->tokenizer, token->id, false);
    fprintf(out, "</summary><div>%.2f bits, rank %d, id %d<table>", bits, (int)token->rank, (int)token->id);
    bool said = false;
    for (int64_t k = 0; k < token->alternatives; k++) {
        said = said || token->ids[k] == token->id;
        put_alternative(page, token->ids[k], token->id_probabilities[k], token->ids[k] == token->id);
    }
    if (!said)
        put_alternative(page, token->id, token->log_probability, true);
    fputs("</table></div></details>", out);
    const char *bytes = gg_token_bytes(page->tokenizer, (uint32_t)token->id, &length);
    for (size_t i = 0; bytes != NULL && i < length; i++)
        if (bytes[i] == '\n')
            putc('\n', out);
}

void gg_token_page_end(struct gg_token_page *page, const char *summary) {
    FILE *out = page->file->out;
    fprintf(out, "%s</main>\n</body>\n</html>\n", page->document >= 0 ? "</div>\n" : "");
    if (page->summary < 0 || fseek(out, page->summary, SEEK_SET) != 0)
        return;
    fprintf(out, "%.*s", (int)SUMMARY_BYTES, summary);
    fseek(out, 0, SEEK_END);
}
