/* gridgpt inspect on checkpoints: what it says, and its exit status. */
#include "tests/checkpoint_case.h"

#include "io/base/file.h"
#include "mpi/world/world.h"

#include <hdf5.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char path[] = "test_inspect.h5";
static struct gg_world world;
static struct checkpoint_case whole;
static char output[65536];

/* Runs the program; its output goes to `output`, errors too. Returns its exit status. */
static int inspect(const char *arguments) {
    const char *program = getenv("GRIDGPT");
    assert_non_null(program);
    char command[1024];
    snprintf(command, sizeof command, "%s inspect %s 2>&1", program, arguments);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    const size_t count = fread(output, 1, sizeof output - 1, pipe);
    output[count] = '\0';
    return WEXITSTATUS(pclose(pipe));
}

static void says(const char *part) {
    if (strstr(output, part) == NULL)
        fail_msg("'%s' is not in:\n%s", part, output);
}

static void write_it(const struct gg_optimizer_kind *optimizer) {
    struct gg_checkpoint_meta meta = case_meta();
    char settings[] = "model:\n  layers: 2\n  heads: 12\n  width: 48\n  context: 10\ndata.train: [a.h5]\n";
    meta.settings_yaml = settings;
    CHECK_OK(gg_checkpoint_write(world.comm, path, &whole.graph.table, whole.values[0], optimizer,
                                 whole.values + 1, &meta));
}

static void in_words(void **state) {
    (void)state;
    write_it(&gg_optimizer_adamw);
    assert_int_equal(inspect("--verify test_inspect.h5"), 0);
    says("test_inspect.h5: checkpoint, format version 1\n");
    says("step         120 (119 updates; 1 steps were skipped, 1 of them last)\n");
    says("983040 tokens, 3840 sequences");
    says("3.2500 in training, not measured in validation");
    says("2 layers, 12 heads, width 48, context 10, vocabulary 187: 0.07 M parameters");
    says("adamw (exp_avg, exp_avg_sq): training can go on");
    says("8000000000000001, vocabulary of 187, enclosed");
    says("    model.layers: 2\n");
    says("    data.train: [\"a.h5\"]\n");
    assert_null(strstr(output, "optim."));
    says("every checksum matches");
    assert_null(strstr(output, "transformer"));

    assert_int_equal(inspect("test_inspect.h5 --tensors --verify"), 0);
    says("model/transformer.h.1.attn.c_attn.weight");
    says("48 x 144");
    says("  ok\n");
    assert_null(strstr(output, "BAD"));
    write_it(&gg_optimizer_sgd);
    assert_int_equal(inspect("--verify test_inspect.h5"), 0);
    says("sgd (momentum_buffer): training can go on");
    struct gg_optimizer_kind newer = gg_optimizer_sgd;
    newer.states[0] = "a_state_of_a_later_version";
    write_it(&newer);
    assert_int_equal(inspect("--verify test_inspect.h5"), 0);
    says("not known to this version (a_state_of_a_later_version)");
    write_it(NULL);
    assert_int_equal(inspect("test_inspect.h5"), 0);
    says("weights only");
    assert_null(strstr(output, "checksum"));
}

static void damage_is_65(void **state) {
    (void)state;
    write_it(&gg_optimizer_adamw);
    const hid_t opened = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t tensor = H5Dopen2(opened, "optimizer/exp_avg/transformer.wpe.weight", H5P_DEFAULT);
    const long at = (long)H5Dget_offset(tensor) + 100;
    H5Dclose(tensor);
    H5Fclose(opened);
    FILE *file = fopen(path, "r+b");
    fseek(file, at, SEEK_SET);
    const int byte = fgetc(file);
    fseek(file, at, SEEK_SET);
    fputc(byte ^ 1, file);
    fclose(file);
    assert_int_equal(inspect("test_inspect.h5"), 0); /* the values are not read */
    assert_int_equal(inspect("--verify test_inspect.h5"), 65);
    says("  damaged tensors\n    optimizer/exp_avg/transformer.wpe.weight");
    says("  BAD\n");
    says("does not fit its checksum");

    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(inspect("test_inspect.h5"), 65);
    says("gridgpt inspect: test_inspect.h5: damaged or truncated");
    CHECK_OK(gg_file_write(path, "text", 4));
    assert_int_equal(inspect("test_inspect.h5"), 65);
    unlink(path);
    assert_int_equal(inspect("test_inspect.h5"), 74);
    says("No such file");
    assert_int_equal(inspect(""), 64);
    assert_int_equal(inspect("a b"), 64);
    assert_int_equal(inspect("--verfy a"), 64);
    says("did you mean '--verify'");
    assert_int_equal(inspect("--help"), 0);
    says("usage: gridgpt inspect FILE");
}

static void not_a_file(void **state) {
    (void)state;
    unlink("inspect-fifo.h5");
    assert_int_equal(mkfifo("inspect-fifo.h5", 0600), 0);
    alarm(60);
    assert_int_equal(inspect("inspect-fifo.h5"), 65);
    alarm(0);
    says("inspect-fifo.h5: is a FIFO, not a file");
    unlink("inspect-fifo.h5");
    assert_int_equal(inspect("."), 65);
    says(".: is a folder, not a file");
    assert_int_equal(inspect("no-such-file.h5"), 74);
    says("no-such-file.h5: No such file");
}

int main(void) {
    if (gg_world_start(&world) != GG_OK)
        return 1;
    case_create(&whole, 1, 1, 0, 0);
    const struct CMUnitTest tests[] = {cmocka_unit_test(in_words), cmocka_unit_test(damage_is_65),
                                       cmocka_unit_test(not_a_file)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    case_free(&whole);
    gg_world_stop(&world);
    return failed;
}
