#include "core/text/pii.h"

#include "core/text/utf8.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

static const char *const placeholders[GG_PII_KINDS] = {"<EMAIL>", "<PHONE>", "<CARD>", "<IP>"};

/* What is looked at around a place, in bytes: so the time is linear. */
enum {
    LOCAL_MOST = 64,
    DOMAIN_MOST = 253,
    LABEL_MOST = 63,
    NUMBER_MOST = 48,
    CARD_MOST = 19,
    WORD_MOST = 16
};

/* A text and a place in it. */
struct view {
    const char *text;
    size_t bytes;
    size_t done; /* what is before was handed on, perhaps masked */
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_hexadecimal(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static char at(const struct view *v, size_t i) {
    return i < v->bytes ? v->text[i] : '\0';
}

/* Whether text[i] is within a word; what is not ASCII may be a sentence that is written without spaces. */
static bool in_word(const struct view *v, size_t i) {
    const char c = at(v, i);
    return is_letter(c) || is_digit(c) || c == '_';
}

/* ---- e-mail addresses ---- */

/* Whether a character that is not ASCII is a letter with case, or a mark of one. */
static bool is_cased(const char *text, size_t bytes, size_t *length) {
    uint32_t code = 0;
    *length = gg_utf8_decode(text, bytes, &code);
    if (*length == 0)
        return false;
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
           category == UTF8PROC_CATEGORY_MN;
}

/* Where the local part begins that ends before text[end]; `end` when there is none. */
static size_t local_begin(const struct view *v, size_t end) {
    const size_t least = end - v->done > LOCAL_MOST ? end - LOCAL_MOST : v->done;
    size_t begin = end;
    while (begin > least) {
        size_t i = begin - 1, length;
        const char c = v->text[i];
        if ((unsigned char)c < 0x80) {
            if (!is_letter(c) && !is_digit(c) && (c == '\0' || strchr("._%+-'", c) == NULL))
                break;
        } else {
            while (i > least && ((unsigned char)v->text[i] & 0xC0) == 0x80)
                i--;
            if (!is_cased(v->text + i, v->bytes - i, &length) || i + length != begin)
                break;
        }
        begin = i;
    }
    /* Marks in front are the sentence's, not the address's. */
    while (begin < end && (unsigned char)v->text[begin] < 0x80 && !is_letter(v->text[begin]) &&
           !is_digit(v->text[begin]))
        begin++;
    return begin < end && v->text[end - 1] != '.' ? begin : end;
}

/* Length of the label at text[i]; *letters tells whether it is letters alone. */
static size_t label_bytes(const struct view *v, size_t i, bool *letters) {
    size_t end = i, length;
    *letters = true;
    while (end < v->bytes && end - i < LABEL_MOST) {
        const char c = v->text[end];
        length = 1;
        if (is_digit(c) || c == '-')
            *letters = false;
        else if (!is_letter(c) &&
                 ((unsigned char)c < 0x80 || !is_cased(v->text + end, v->bytes - end, &length)))
            break;
        end += length;
    }
    while (end > i && v->text[end - 1] == '-')
        end--;
    return end > i && v->text[i] != '-' ? end - i : 0;
}

/* Where the domain ends that begins at text[begin]; `begin` when there is none. */
static size_t domain_end(const struct view *v, size_t begin) {
    size_t i = begin, end = begin;
    for (int labels = 1; i - begin < DOMAIN_MOST; labels++) {
        bool letters;
        const size_t length = label_bytes(v, i, &letters);
        if (length == 0)
            break;
        const bool punycode = length > 4 && strncmp(v->text + i, "xn--", 4) == 0;
        i += length;
        if (labels >= 2 && ((letters && length >= 2) || punycode))
            end = i;
        if (at(v, i) != '.')
            break;
        i++;
    }
    return end;
}

/* Each of these: whether there is one that begins at text[*begin]; *end is then where it ends. */
static bool find_email(const struct view *v, size_t *begin, size_t *end) {
    const size_t sign = *begin;
    if (v->text[sign] != '@' || sign == v->done)
        return false;
    *end = domain_end(v, sign + 1);
    *begin = local_begin(v, sign);
    return *end > sign + 1 && *begin < sign;
}

/* ---- numbers ---- */

/* Whether a number at text[i] is the rest of something longer: a mark and a digit stand before. */
static bool goes_on_from_before(const struct view *v, size_t i, const char *marks) {
    return i >= 2 && v->text[i - 1] != '\0' && strchr(marks, v->text[i - 1]) != NULL &&
           is_digit(v->text[i - 2]);
}

/* Whether what ends before text[end] goes on: with a letter or digit, or a mark and one. */
static bool goes_on(const struct view *v, size_t end, const char *marks) {
    const char c = at(v, end);
    return in_word(v, end) || (c != '\0' && strchr(marks, c) != NULL && is_digit(at(v, end + 1)));
}

/* Luhn's sums over digits from the left, those at even places doubled in one and those at odd ones in the other:
 * which of them tells is known once their number is. */
static void luhn_add(int sums[2], int place, int digit) {
    const int twice = 2 * digit > 9 ? 2 * digit - 9 : 2 * digit;
    sums[place % 2] += twice;
    sums[1 - place % 2] += digit;
}

/* Whether digits in pieces of such lengths are how cards are written. */
static bool card_pieces(const int *pieces, int count) {
    if (count == 1)
        return true;
    if (count == 3 && pieces[0] == 4 && pieces[1] == 6)
        return pieces[2] == 4 || pieces[2] == 5;
    for (int i = 0; i + 1 < count; i++)
        if (pieces[i] != 4)
            return false;
    return pieces[count - 1] <= 4;
}

static bool find_card(const struct view *v, size_t begin, size_t *end) {
    char separator = '\0';
    int count = 0, sums[2] = {0}, pieces[6] = {0}, piece = 0;
    *end = 0;
    if (at(v, begin) < '2' || at(v, begin) > '6' || goes_on_from_before(v, begin, "-."))
        return false;
    for (size_t i = begin;; i++) {
        const char c = at(v, i);
        if (is_digit(c)) {
            if (count == CARD_MOST)
                break;
            luhn_add(sums, count++, c - '0');
            pieces[piece]++;
            continue;
        }
        /* More digits may be its next piece, or a date behind it. */
        if (count >= 13 && !goes_on(v, i, "-.") && card_pieces(pieces, piece + 1) &&
            sums[count % 2] % 10 == 0)
            *end = i;
        if ((c != ' ' && c != '-') || !is_digit(at(v, i + 1)) || (separator != '\0' && c != separator) ||
            piece == 5)
            break;
        separator = c;
        piece++;
    }
    return *end > 0;
}

/* The word before text[i], without case, spaces or a mark between: whether it says that a version follows. */
static bool behind_version(const struct view *v, size_t i) {
    static const char *const words[] = {"version", "ver", "release", "v"};
    size_t length = 0;
    while (i > 0 && length < 3 && strchr(" .:=", v->text[i - 1]) != NULL && v->text[i - 1] != '\0') {
        i--;
        length++;
    }
    char word[WORD_MOST] = {0};
    for (length = 0; length < i && length < sizeof word && is_letter(v->text[i - 1 - length]); length++)
        word[sizeof word - 1 - length] = (char)(v->text[i - 1 - length] | 0x20);
    for (size_t k = 0; length > 0 && k < sizeof words / sizeof *words; k++)
        if (length == strlen(words[k]) && memcmp(word + sizeof word - length, words[k], length) == 0)
            return true;
    return false;
}

/* Four numbers up to 255 with dots; where they end, or 0. */
static size_t four_numbers(const struct view *v, size_t i) {
    for (int number = 0; number < 4; number++) {
        int value = 0, digits = 0;
        for (; is_digit(at(v, i)) && digits < 4; digits++)
            value = 10 * value + (at(v, i++) - '0');
        if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && at(v, i - (size_t)digits) == '0'))
            return 0;
        if (number < 3 && at(v, i++) != '.')
            return 0;
    }
    return i;
}

static bool find_ipv4(const struct view *v, size_t begin, size_t *end) {
    const char before = begin >= 2 ? v->text[begin - 1] : ' ';
    if ((before == '.' || before == '-') && in_word(v, begin - 2))
        return false;
    *end = four_numbers(v, begin);
    return *end > 0 && !goes_on(v, *end, ".") && !behind_version(v, begin);
}

/* Groups of hexadecimal digits with colons between; *end is set to where they end.
 *   longest [out] digits of the longest group */
static bool colon_groups(const struct view *v, size_t i, size_t *end, int *longest) {
    int groups = 0;
    bool gap = false, digit = false;
    *longest = 0;
    while (groups < 8) {
        const size_t four = groups > 0 && (groups == 6 || gap) ? four_numbers(v, i) : 0;
        if (four > 0) { /* the last two groups as IPv4 */
            *end = four;
            groups += 2;
            digit = true;
            break;
        }
        int length = 0;
        for (; length < 5 && is_hexadecimal(at(v, i)); length++)
            digit = is_digit(at(v, i++)) || digit;
        if (length > 4)
            return false;
        *longest = length > *longest ? length : *longest;
        groups += length > 0;
        *end = i;
        if (at(v, i) != ':')
            break;
        if (at(v, i + 1) == ':' && !gap) {
            gap = true;
            *end = i += 2;
        } else if (at(v, i + 1) != ':' && length > 0) {
            i++;
        } else {
            break;
        }
        if (!is_hexadecimal(at(v, i)))
            break;
    }
    return digit && (gap ? groups < 8 : groups == 8);
}

static bool find_ipv6(const struct view *v, size_t begin, size_t *end) {
    int longest;
    if (begin >= 1 && v->text[begin - 1] == ':' &&
        (begin == 1 || is_hexadecimal(v->text[begin - 2]) || v->text[begin - 2] == ':'))
        return false;
    return colon_groups(v, begin, end, &longest) && longest >= 3 && !in_word(v, *end) &&
           !(at(v, *end) == ':' && (is_hexadecimal(at(v, *end + 1)) || at(v, *end + 1) == ':'));
}

/* + and digits, with marks between; a piece that would make them too many is not of it. */
static bool find_international(const struct view *v, size_t begin, size_t *end) {
    int digits = 0, open = 0, marks = 0;
    *end = 0;
    if (at(v, begin) != '+' || at(v, begin + 1) < '1' || at(v, begin + 1) > '9')
        return false;
    for (size_t i = begin + 1; i - begin < NUMBER_MOST; i++) {
        const char c = at(v, i);
        if (is_digit(c)) {
            marks = 0;
            if (++digits > 15)
                break;
            if (digits >= 8 && open == 0 && !is_digit(at(v, i + 1)) && !in_word(v, i + 1))
                *end = i + 1;
            continue;
        }
        open += (c == '(') - (c == ')');
        if (c == '\0' || strchr(" -./()", c) == NULL || ++marks > 2 || open < 0 || open > 1)
            break;
    }
    return *end > 0;
}

/* `count` digits at text[*i], which is then behind them; the first one 2 to 9 where `area` says so. */
static bool take_digits(const struct view *v, size_t *i, int count, bool area) {
    if (area && at(v, *i) < '2')
        return false;
    for (; count > 0; count--)
        if (!is_digit(at(v, (*i)++)))
            return false;
    return true;
}

/* 212-555-0123, 212.555.0123, (212) 555-0123. */
static bool find_american(const struct view *v, size_t begin, size_t *end) {
    size_t i = begin;
    if (goes_on_from_before(v, begin, "-."))
        return false;
    if (at(v, i) == '1' && at(v, i + 1) != '\0' && strchr(" -.", at(v, i + 1)) != NULL)
        i += 2;
    const bool parentheses = at(v, i) == '(';
    i += parentheses;
    if (!take_digits(v, &i, 3, true))
        return false;
    const char mark = at(v, i);
    if (parentheses ? mark != ')' : mark != '-' && mark != '.')
        return false;
    i++;
    i += parentheses && at(v, i) == ' ';
    if (!take_digits(v, &i, 3, true) || (at(v, i) != '-' && at(v, i) != '.') ||
        (!parentheses && at(v, i) != mark))
        return false;
    i++;
    *end = i + 4;
    return take_digits(v, &i, 4, false) && !goes_on(v, i, "-.");
}

/* What begins at text[i], if anything does. */
static bool find(const struct view *v, size_t *begin, size_t *end, enum gg_pii *kind) {
    const char c = v->text[*begin];
    *kind = GG_PII_EMAIL;
    if (c == '@')
        return find_email(v, begin, end);
    if ((!is_hexadecimal(c) && c != '+' && c != '(' && c != ':') || (*begin > 0 && in_word(v, *begin - 1)))
        return false;
    *kind = GG_PII_CARD;
    if (is_digit(c) && find_card(v, *begin, end))
        return true;
    *kind = GG_PII_IP;
    if ((is_digit(c) && find_ipv4(v, *begin, end)) || (c != '+' && c != '(' && find_ipv6(v, *begin, end)))
        return true;
    *kind = GG_PII_PHONE;
    return find_international(v, *begin, end) || find_american(v, *begin, end);
}

gg_status gg_pii_mask(const char *text, size_t bytes, struct gg_text *masked, uint32_t counts[GG_PII_KINDS]) {
    struct view view = {.text = text, .bytes = bytes};
    for (size_t i = 0; i < bytes;) {
        size_t begin = i, end = 0;
        enum gg_pii kind;
        if (!find(&view, &begin, &end, &kind)) {
            i++;
            continue;
        }
        GG_TRY(gg_text_append(masked, text + view.done, begin - view.done));
        GG_TRY(gg_text_append(masked, placeholders[kind], strlen(placeholders[kind])));
        counts[kind]++;
        view.done = i = end;
    }
    return gg_text_append(masked, text + view.done, bytes - view.done);
}
