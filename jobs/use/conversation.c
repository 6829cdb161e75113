#include "jobs/use/conversation.h"

#include "core/base/memory.h"
#include "mpi/world/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rank 0's next line, without its end, on every rank. False when there is none. */
static bool next_line(const struct gg_world *world, char **line, size_t *bytes) {
    size_t capacity = 0;
    int64_t length = -1;
    *line = NULL;
    if (world->rank == 0) {
        fputs("> ", stderr);
        length = (int64_t)getline(line, &capacity, stdin);
        if (length > 0 && (*line)[length - 1] == '\n')
            length--;
    }
    MPI_Bcast(&length, 1, MPI_INT64_T, 0, world->comm);
    if (length < 0) {
        free(*line);
        return false;
    }
    if (world->rank != 0)
        *line = gg_calloc((size_t)length + 1, 1);
    MPI_Bcast(*line, gg_int(length), MPI_CHAR, 0, world->comm);
    *bytes = (size_t)length;
    return true;
}

/* The answer to what was said so far. */
static gg_status answer(const struct gg_generation *g, json_t *messages, struct gg_text *text,
                        int64_t *drawn) {
    struct gg_generation turn = *g;
    struct gg_prompts prompts = {0};
    int64_t more = 0;
    turn.answer = text;
    gg_prompts_append_messages(&prompts, messages);
    const gg_status status = gg_generation_run(&turn, &prompts, &more);
    *drawn += more;
    gg_prompts_free(&prompts);
    return status;
}

/* A turn of each. Where all that was said does not fit, the user's turn begins another conversation. */
static gg_status take_turns(const struct gg_generation *g, json_t *messages, const char *line, size_t bytes,
                            int64_t *drawn) {
    struct gg_text text = {0};
    gg_messages_append(messages, gg_chat_role_names[GG_CHAT_USER], line, bytes);
    gg_status status = answer(g, messages, &text, drawn);
    if (status == GG_BAD_DATA && json_array_size(messages) > 1) {
        if (g->world->rank == 0)
            fprintf(stderr,
                    "gridgpt generate: the context of %lld tokens is full; another conversation begins\n",
                    (long long)g->context);
        json_array_clear(messages);
        gg_messages_append(messages, gg_chat_role_names[GG_CHAT_USER], line, bytes);
        status = answer(g, messages, &text, drawn);
    }
    if (status == GG_OK)
        gg_messages_append(messages, gg_chat_role_names[GG_CHAT_ASSISTANT], text.bytes, text.count);
    gg_text_free(&text);
    return status;
}

gg_status gg_conversation_hold(const struct gg_generation *g, int64_t *drawn) {
    json_t *messages = json_array();
    gg_status status = GG_OK;
    char *line;
    size_t bytes;
    *drawn = 0;
    while (status == GG_OK && next_line(g->world, &line, &bytes)) {
        if (bytes > 0)
            status = take_turns(g, messages, line, bytes, drawn);
        free(line);
    }
    json_decref(messages);
    return status;
}
