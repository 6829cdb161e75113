/* What is masked, what is nearly that and stays, and that the time is linear in the text. */
#include "tests/check.h"

#include "core/text/pii.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

static void masks(const char *from, const char *to) {
    struct gg_text masked = {0};
    uint32_t counts[GG_PII_KINDS] = {0}, expected[GG_PII_KINDS] = {0};
    static const char *const placeholders[GG_PII_KINDS] = {"<EMAIL>", "<PHONE>", "<CARD>", "<IP>"};
    CHECK_OK(gg_pii_mask(from, strlen(from), &masked, counts));
    CHECK_OK(gg_text_append(&masked, "", 1));
    if (strcmp(masked.bytes, to) != 0)
        fail_msg("'%s' becomes '%s', not '%s'", from, masked.bytes, to);
    for (int i = 0; i < GG_PII_KINDS; i++) {
        for (const char *at = to; (at = strstr(at, placeholders[i])) != NULL; at++)
            expected[i]++;
        assert_int_equal(counts[i], expected[i]);
    }
    gg_text_free(&masked);
}

static void stays(const char *text) {
    masks(text, text);
}

static void emails(void **state) {
    (void)state;
    masks("a@b.de", "<EMAIL>");
    masks("Write to jane.doe+news@mail.example.co.uk, please.", "Write to <EMAIL>, please.");
    masks("<mailto:o'brien@example.org>", "<mailto:<EMAIL>>");
    masks("'x_1%y@a-b.example.info'", "'<EMAIL>'");
    masks("jürgen.müller@bücher.example", "<EMAIL>");
    masks("请联系abc@example.com谢谢", "请联系<EMAIL>谢谢");
    masks("a@b.de;c@d.fr a@b.de", "<EMAIL>;<EMAIL> <EMAIL>");
    masks("x@y.xn--p1ai", "<EMAIL>");
    stays("@handle and @example.com, a @ b.com");
    stays("user@localhost, a@b, a@b.c, a@b.1, a@-b.de, 5 @ 3.50");
    stays("");
}

static void cards(void **state) {
    (void)state;
    masks("4111111111111111", "<CARD>");
    masks("Visa 4111 1111 1111 1111 12/25.", "Visa <CARD> 12/25.");
    masks("5500-0000-0000-0004", "<CARD>");
    masks("Amex 3782 822463 10005, Diners 3056 930902 5904", "Amex <CARD>, Diners <CARD>");
    masks("6304 0000 0000 0000 000", "<CARD>");
    masks("卡号4111111111111111。", "卡号<CARD>。");
    masks("4222222222222", "<CARD>");
    stays("4111111111111112"); /* Luhn */
    stays("4111 1111 1111 1112");
    stays("4111-1111 1111-1111");             /* two kinds of separators */
    stays("41111 111 1111 1111");             /* pieces of other lengths */
    stays("978-3-16-148410-0 9783161484100"); /* ISBN-13 */
    stays("0-306-40615-2");                   /* ISBN-10 */
    stays("x4111111111111111 4111111111111111x 41111111111111110000000000");
    stays("3.4111111111111111");
}

static void addresses(void **state) {
    (void)state;
    masks("host 192.168.0.1:8080 and 10.0.0.0/8", "host <IP>:8080 and <IP>/8");
    masks("It is 8.8.8.8. Or 1.2.3.4, then?", "It is <IP>. Or <IP>, then?");
    masks("ip:1.2.3.4 [1.2.3.4]", "ip:<IP> [<IP>]");
    masks("2001:db8::1, [2001:0db8:85a3:0000:0000:8a2e:0370:7334]:80", "<IP>, [<IP>]:80");
    masks("fe80::1ff:fe23:4567:890a%eth0", "<IP>%eth0");
    masks("::ffff:1.2.3.4 fe80::", "<IP> <IP>");
    stays("version 1.2.3.4, Version: 1.2.3.4, v1.2.3.4, v 1.2.3.4, release=1.2.3.4");
    stays("1.2.3, 1.2.3.4.5, 256.1.1.1, 01.02.03.04, foo-1.2.3.4, 1.2.3.4rc1");
    stays("12:34:56, 2020-01-02T12:34:56, std::vector, a::b, dead::beef, [1::2], x[::2], ::1");
    stays("00:1a:2b:3c:4d:5e, 43:51:43:a1:b5:fc:8b:b7, 1:2:3:4:5:6:7:8:9, 2001:db8:::1, 12345::1");
}

static void phones(void **state) {
    (void)state;
    masks("Tel.+49 (0)30 1234567", "Tel.<PHONE>");
    masks("+1 (212) 555-0123, +442079460958", "<PHONE>, <PHONE>");
    masks("电话+8613912345678。", "电话<PHONE>。");
    masks("(212) 555-0123 or 212-555-0123 or 212.555.0123", "<PHONE> or <PHONE> or <PHONE>");
    masks("1-800-555-0199 (from 9 to 5)", "<PHONE> (from 9 to 5)");
    masks("+49 170 1234567 2024 times", "<PHONE> 2024 times");
    stays("2020-01-02, 02.01.2020, 12/31/1999, 1999-2000, 10:30-11:45");
    stays("2125550123, 555-0123, 112-555-0123, 212-155-0123, 212-555-01234, 212-555.0123");
    stays("C++ 11, 1+12345678, a+49301234567, +1234567, +0301234567, 3 + 12345678");
    stays("123-45-6789, 12 345 678, 3.14159265358979, 1e+10000000x");
}

/* It is UTF-8 before and after; and texts that make a scanner start again and again do not take it long. */
static void any_text(void **state) {
    (void)state;
    static const char *const pieces[] = {"@",
                                         "a",
                                         ".",
                                         "1",
                                         "4",
                                         "-",
                                         "+",
                                         " ",
                                         ":",
                                         "(",
                                         ")",
                                         "é",
                                         "語",
                                         "f",
                                         "::",
                                         "192.168.1.1",
                                         "a@b.de",
                                         "\xCC\x81",
                                         "4111111111111111",
                                         "v"};
    uint32_t random = 1;
    for (int round = 0; round < 2000; round++) {
        struct gg_text text = {0}, masked = {0};
        uint32_t counts[GG_PII_KINDS] = {0};
        for (int i = 0; i < 40; i++) {
            random = random * 1664525u + 1013904223u;
            const char *piece = pieces[(random >> 16) % (sizeof pieces / sizeof *pieces)];
            CHECK_OK(gg_text_append(&text, piece, strlen(piece)));
        }
        CHECK_OK(gg_pii_mask(text.bytes, text.count, &masked, counts));
        utf8proc_int32_t code;
        for (size_t i = 0; i < masked.count;) {
            const utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)masked.bytes + i,
                                                             (utf8proc_ssize_t)(masked.count - i), &code);
            assert_true(length > 0);
            i += (size_t)length;
        }
        gg_text_free(&text);
        gg_text_free(&masked);
    }
    static const char *const repeated[] = {"@", "a@", "a.", "1.", "4", "4 ", "+1", "f:", "(212) 5", "é"};
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
        struct gg_text text = {0}, masked = {0};
        uint32_t counts[GG_PII_KINDS] = {0};
        while (text.count < 1000000) /* what is not linear would not end within the test's time */
            CHECK_OK(gg_text_append(&text, repeated[i], strlen(repeated[i])));
        CHECK_OK(gg_pii_mask(text.bytes, text.count, &masked, counts));
        gg_text_free(&text);
        gg_text_free(&masked);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(emails), cmocka_unit_test(cards),    cmocka_unit_test(addresses),
        cmocka_unit_test(phones), cmocka_unit_test(any_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
