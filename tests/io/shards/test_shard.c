/* Token shards: what is written is read, and a damaged file is refused by name, or holds the same after all.
 */
#include "io/base/file.h"
#include "io/shards/shard.h"
#include "tests/shard_fixture.h"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VOCAB = 3000 };

static uint32_t token_at(const void *tokens, int token_bytes, int64_t i) {
    return token_bytes == 2 ? ((const uint16_t *)tokens)[i] : ((const uint32_t *)tokens)[i];
}

static void *scratch, *tokens;
static int allocate(void **state) {
    (void)state;
    scratch = gg_malloc(8 << 20);
    tokens = gg_malloc(4 * (size_t)GG_SHARD_CHUNK_TOKENS);
    return 0;
}

static int release(void **state) {
    (void)state;
    free(scratch);
    free(tokens);
    return 0;
}

static void check_contents(const gg_shard *shard, uint64_t salt, int64_t count, int64_t document,
                           int64_t vocab) {
    const struct gg_shard_info *info = gg_shard_info(shard);
    assert_int_equal(info->tokens, count);
    assert_int_equal(info->vocab, vocab);
    assert_true(info->fingerprint == FIXTURE_FINGERPRINT);
    assert_int_equal(info->text_bytes, 4 * count);
    assert_int_equal(info->documents, (count + document - 1) / document);
    assert_int_equal(info->token_bytes, vocab <= 65536 ? 2 : 4);
    assert_true(gg_shard_scratch_bytes(info->token_bytes) <= 8 << 20);
    for (int64_t chunk = 0; chunk < info->chunks; chunk++) {
        CHECK_OK(gg_shard_read_chunk(shard, chunk, scratch, tokens));
        const int64_t first = chunk * GG_SHARD_CHUNK_TOKENS;
        for (int64_t i = 0; i < GG_SHARD_CHUNK_TOKENS; i++) {
            const uint32_t expected = first + i < count ? fixture_token(salt, first + i, vocab) : 0;
            if (token_at(tokens, info->token_bytes, i) != expected)
                fail_msg("token %lld", (long long)(first + i));
        }
    }
    uint64_t *offsets = NULL;
    CHECK_OK(gg_shard_read_documents(shard, &offsets));
    for (int64_t i = 0; i < info->documents; i++)
        assert_int_equal(offsets[i], i * document);
    free(offsets);
    CHECK_OK(gg_shard_verify(shard));
}

static void round_trip(void **state) {
    (void)state;
    const struct {
        int64_t count, document, vocab;
    } cases[] = {
        {1, 1, 1},
        {2, 1, 65536},
        {5000, 77, 65537},
        {GG_SHARD_CHUNK_TOKENS - 1, 1000, VOCAB},
        {GG_SHARD_CHUNK_TOKENS, 5000, VOCAB},
        {GG_SHARD_CHUNK_TOKENS + 1, 1 << 20, 100000},
        {3 * GG_SHARD_CHUNK_TOKENS + 7, 123457, VOCAB},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture_shard("round.h5", i, cases[i].count, cases[i].document, cases[i].vocab, FIXTURE_FINGERPRINT);
        gg_shard *shard = NULL;
        CHECK_OK(gg_shard_open("round.h5", &shard));
        check_contents(shard, i, cases[i].count, cases[i].document, cases[i].vocab);
        assert_int_equal(gg_shard_info(shard)->file_bytes, gg_file_size("round.h5"));
        gg_shard_close(&shard);
        gg_shard_close(&shard);
        assert_true(gg_shard_recognise("round.h5"));
        assert_false(gg_file_exists("round.h5.tmp"));
    }
    unlink("round.h5");
}

/* The bytes depend on the contents alone: not on the name, the time, or the pieces they came in. */
static void same_bytes(void **state) {
    (void)state;
    fixture_shard("same-a.h5", 1, 40000, 500, VOCAB, FIXTURE_FINGERPRINT);
    sleep(1);
    gg_shard_writer *writer = NULL;
    const struct gg_shard_spec spec = {.fingerprint = FIXTURE_FINGERPRINT, .vocab = VOCAB, .level = 1};
    CHECK_OK(gg_shard_writer_create("another-name.h5", &spec, &writer));
    for (int64_t i = 0; i < 40000; i += 250) {
        uint32_t part[250];
        for (int64_t j = 0; j < 250; j++)
            part[j] = fixture_token(1, i + j, VOCAB);
        CHECK_OK(gg_shard_writer_append(writer, part, 250, i % 500 == 0, 1000));
    }
    assert_int_equal(gg_shard_writer_tokens(writer), 40000);
    CHECK_OK(gg_shard_writer_finish(writer));
    assert_false(gg_file_exists("another-name.h5"));
    CHECK_OK(gg_shard_writer_commit(&writer));
    char *a, *b;
    size_t a_bytes, b_bytes;
    CHECK_OK(gg_file_read("same-a.h5", 1 << 24, &a, &a_bytes));
    CHECK_OK(gg_file_read("another-name.h5", 1 << 24, &b, &b_bytes));
    assert_int_equal(a_bytes, b_bytes);
    assert_memory_equal(a, b, a_bytes);
    free(a);
    free(b);
    unlink("same-a.h5");
    unlink("another-name.h5");
}

static void writer_refuses(void **state) {
    (void)state;
    gg_shard_writer *writer = NULL;
    const struct gg_shard_spec spec = {.fingerprint = 1, .vocab = 100, .level = 3};
    CHECK_FAILS(gg_shard_writer_create("no-such-folder/x.h5", &spec, &writer), GG_STORAGE,
                "no-such-folder/x.h5");
    assert_null(writer);
    CHECK_OK(gg_shard_writer_create("refused.h5", &spec, &writer));
    const uint32_t ids[] = {99, 100};
    CHECK_OK(gg_shard_writer_append(writer, ids, 1, true, 1));
    CHECK_FAILS(gg_shard_writer_append(writer, ids, 2, true, 1), GG_BAD_DATA, "id 100");
    gg_shard_writer_destroy(&writer);
    assert_false(gg_file_exists("refused.h5.tmp"));
    assert_false(gg_file_exists("refused.h5"));
}

/* Opens and reads everything; GG_OK only if all of it is right. */
static gg_status read_all(const char *path) {
    gg_shard *shard = NULL;
    GG_TRY(gg_shard_open(path, &shard));
    const gg_status status = gg_shard_verify(shard);
    if (status == GG_OK)
        check_contents(shard, 5, 3000, 100, VOCAB);
    gg_shard_close(&shard);
    return status;
}

static void put_file(const char *path, const char *data, size_t bytes) {
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes);
    close(fd);
}

static void refused_by_name(gg_status status, const char *path) {
    if ((status != GG_BAD_DATA && status != GG_STORAGE) || strstr(gg_failure(), path) == NULL)
        fail_msg("status %d: %s", (int)status, gg_failure());
}

static void flipped_bits(void **state) {
    (void)state;
    fixture_shard("flip.h5", 5, 3000, 100, VOCAB, FIXTURE_FINGERPRINT);
    char *data;
    size_t bytes;
    CHECK_OK(gg_file_read("flip.h5", 1 << 24, &data, &bytes));
    CHECK_OK(read_all("flip.h5"));
    size_t tried = 0, refused = 0;
    for (size_t i = 0; i < bytes; i += 5, tried++) {
        const char bit = (char)(1 << gg_random_bits(3, 3, i) % 8);
        data[i] ^= bit;
        put_file("flip.h5", data, bytes);
        const gg_status status = read_all("flip.h5");
        if (status != GG_OK) {
            refused_by_name(status, "flip.h5");
            refused++;
        }
        data[i] ^= bit;
    }
    /* What is not refused makes no difference, as read_all() saw: the window a zstd frame asks for, say. */
    printf("%zu bytes: %zu of %zu flipped bits refused\n", bytes, refused, tried);
    assert_true(refused * 100 >= tried * 99);
    free(data);
    unlink("flip.h5");
}

static void truncated(void **state) {
    (void)state;
    fixture_shard("cut.h5", 5, 3000, 100, VOCAB, FIXTURE_FINGERPRINT);
    char *data;
    size_t bytes;
    CHECK_OK(gg_file_read("cut.h5", 1 << 24, &data, &bytes));
    for (size_t length = 0; length < bytes; length += length < 600 ? 1 : 61) {
        put_file("cut.h5", data, length);
        refused_by_name(read_all("cut.h5"), "cut.h5");
    }
    put_file("cut.h5", data, bytes);
    CHECK_OK(read_all("cut.h5"));
    free(data);
    unlink("cut.h5");
    CHECK_FAILS(read_all("cut.h5"), GG_STORAGE, "cut.h5: No such file");
}

/* Another program's HDF5 files. */
static void foreign(void **state) {
    (void)state;
    put_file("foreign.h5", "just some text, longer than a signature", 39);
    CHECK_FAILS(read_all("foreign.h5"), GG_BAD_DATA, "foreign.h5: not a token shard: not an HDF5 file");
    assert_false(gg_shard_recognise("foreign.h5"));
    for (int kind = 0; kind < 4; kind++) {
        const hid_t file = H5Fcreate("foreign.h5", H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
        const char *const names[] = {"format_version", "tokenizer_fingerprint", "vocabulary_size",
                                     "token_count", "text_bytes"};
        const uint64_t values[] = {kind == 1 ? 2 : 1, 1, 100, 10, 10};
        const hid_t scalar = H5Screate(H5S_SCALAR);
        for (int i = 0; i < 5 && kind > 0; i++) {
            const hid_t attribute =
                H5Acreate2(file, names[i], H5T_STD_U64LE, scalar, H5P_DEFAULT, H5P_DEFAULT);
            H5Awrite(attribute, H5T_NATIVE_UINT64, &values[i]);
            H5Aclose(attribute);
        }
        const hsize_t ten = 10;
        const hid_t line = H5Screate_simple(1, &ten, NULL);
        const hid_t type = kind == 2 ? H5T_STD_U16BE : H5T_STD_U16LE;
        const hid_t dataset = H5Dcreate2(file, "tokens", type, line, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dclose(dataset);
        H5Sclose(line);
        H5Sclose(scalar);
        H5Fclose(file);
        static const char *const messages[] = {"it has no attribute 'format_version'", "format version 2",
                                               "little-endian", "not in zstd chunks"};
        CHECK_FAILS(read_all("foreign.h5"), GG_BAD_DATA, messages[kind]);
        refused_by_name(read_all("foreign.h5"), "foreign.h5");
        assert_true(gg_shard_recognise("foreign.h5"));
    }
    unlink("foreign.h5");
}

/* What is no file is refused without opening it: an open FIFO would wait for a writer. */
static void not_a_file(void **state) {
    (void)state;
    unlink("fifo.h5");
    assert_int_equal(mkfifo("fifo.h5", 0600), 0);
    alarm(30);
    CHECK_FAILS(gg_file_check_regular("fifo.h5"), GG_BAD_DATA, "fifo.h5: is a FIFO, not a file");
    CHECK_FAILS(read_all("fifo.h5"), GG_BAD_DATA, "fifo.h5: is a FIFO, not a file");
    assert_false(gg_shard_recognise("fifo.h5"));
    alarm(0);
    unlink("fifo.h5");
    CHECK_FAILS(read_all("."), GG_BAD_DATA, ".: is a folder, not a file");
    CHECK_FAILS(read_all("/dev/null"), GG_BAD_DATA, "/dev/null: is a device, not a file");
    CHECK_FAILS(gg_file_check_regular("no-such-file"), GG_STORAGE, "no-such-file: No such file");
    CHECK_FAILS(gg_file_check_regular("/dev/null/x"), GG_STORAGE, "/dev/null/x: Not a directory");
}

/* A chunk that cannot be read any more is explained by what happened to the file. */
static void changed_after_opening(void **state) {
    (void)state;
    fixture_shard("changed.h5", 5, 3000, 100, VOCAB, FIXTURE_FINGERPRINT);
    fixture_shard("other.h5", 6, 3000, 100, VOCAB, FIXTURE_FINGERPRINT);
    gg_shard *shard = NULL;
    CHECK_OK(gg_shard_open("changed.h5", &shard));
    CHECK_OK(gg_shard_read_chunk(shard, 0, scratch, tokens));
    rename("changed.h5", "kept.h5");
    CHECK_FAILS(gg_shard_read_chunk(shard, 0, scratch, tokens), GG_STORAGE,
                "changed.h5: could be opened before, but not now: No such file");
    rename("other.h5", "changed.h5");
    CHECK_FAILS(gg_shard_read_chunk(shard, 0, scratch, tokens), GG_BAD_DATA,
                "changed.h5: was replaced or written to after it was opened");
    assert_int_equal(truncate("changed.h5", 300), 0);
    CHECK_FAILS(gg_shard_read_chunk(shard, 0, scratch, tokens), GG_BAD_DATA,
                "shorter than when it was opened");
    unlink("changed.h5");
    assert_int_equal(mkfifo("changed.h5", 0600), 0);
    alarm(30);
    CHECK_FAILS(gg_shard_read_chunk(shard, 0, scratch, tokens), GG_BAD_DATA,
                "changed.h5: was replaced or written to after it was opened");
    alarm(0);
    rename("kept.h5", "changed.h5");
    CHECK_OK(gg_shard_read_chunk(shard, 0, scratch, tokens));
    gg_shard_close(&shard);
    unlink("changed.h5");
}

static void described(void **state) {
    (void)state;
    fixture_shard("words.h5", 5, 3000, 100, VOCAB, FIXTURE_FINGERPRINT);
    char text[2000] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    CHECK_OK(gg_shard_describe("words.h5", true, out));
    fclose(out);
    assert_non_null(strstr(text, "3000 (16-bit, vocabulary of 3000)"));
    assert_non_null(strstr(text, "documents    30\n"));
    assert_non_null(strstr(text, "12000 bytes, 4.000 per token"));
    assert_non_null(strstr(text, "0123456789abcdef"));
    assert_non_null(strstr(text, "every checksum matches"));
    unlink("words.h5");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),     cmocka_unit_test(same_bytes),
        cmocka_unit_test(writer_refuses), cmocka_unit_test(flipped_bits),
        cmocka_unit_test(truncated),      cmocka_unit_test(foreign),
        cmocka_unit_test(not_a_file),     cmocka_unit_test(changed_after_opening),
        cmocka_unit_test(described),
    };
    return cmocka_run_group_tests(tests, allocate, release);
}
