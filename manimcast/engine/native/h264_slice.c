/* The data of a slice. Most macroblocks are skipped and cost next to nothing; the work goes with what changed. */

#include "h264_coder.h"

#include <string.h>

static int make_room(Output *out, Cabac *c)
{
    size_t used = (size_t)(c->at - out->memory);
    if (out->size - used >= MOST_BYTES)
        return 1;
    uint8_t *larger = PyMem_RawRealloc(out->memory, 2 * out->size);
    if (!larger)
        return 0;
    out->memory = larger;
    out->size *= 2;
    c->at = larger + used;
    return 1;
}

static Patch *add_patch(Coder *k, int column, int row)
{
    if (k->patch_count == k->patch_capacity) {
        int capacity = k->patch_capacity ? 2 * k->patch_capacity : 256;
        Patch *larger = PyMem_RawRealloc(k->patches, (size_t)capacity * sizeof *larger);
        if (!larger)
            return NULL;
        k->patches = larger;
        k->patch_capacity = capacity;
    }
    Patch *patch = &k->patches[k->patch_count++];
    patch->column = column;
    patch->row = row;
    k->patch_of[row * k->slice.columns + column] = k->patch_count;
    return patch;
}

static void take_source(const Coder *k, int column, int row, uint8_t *samples)
{
    for (int p = 0; p < 3; p++) {
        int size = p ? 8 : 16;
        ptrdiff_t stride = (ptrdiff_t)k->slice.columns * size;
        const uint8_t *at = k->source[p] + size * row * stride + size * column;
        uint8_t *to = samples + (p ? 192 + 64 * p : 0);
        for (int y = 0; y < size; y++)
            memcpy(to + size * y, at + y * stride, (size_t)size);
    }
}

/* Code one macroblock that is not just skipped without motion. Returns 0 when memory is short. */
static int code_macroblock(Coder *k, Cabac *c, const Plan *plan, int column, int row)
{
    Slice *s = &k->slice;
    int index = row * s->columns + column, at = (row + 1) * s->stride + column + 1;
    Motion skipped = skipped_motion(s, at);
    Work w = {.column = column, .row = row, .at = at, .qp = plan->qp};
    Choice choice;
    int skip;
    take_source(k, column, row, w.source);
    if (k->changed[index]) {
        skip = choose(k, c, &w, skipped, &choice);
        k->waits[index] = (uint8_t)plan->wait;
    } else if (k->waits[index] == 1) {
        k->waits[index] = 0;
        w.qp = plan->refined_qp;
        skip = choose_refinement(k, c, &w, skipped, &choice);
    } else {
        /* It stands as it is. Where a skipped macroblock would move, what it would show may do as well. */
        uint8_t stands[384];
        stand_in(k, column, row, stands);
        skip = 0;
        if (within_reach(picture_before(k, 0), 16 * column, 16 * row, 16, skipped)) {
            predict(picture_before(k, 0), 16 * column, 16 * row, 16, 16, 0, 0, skipped, choice.residual.samples);
            skip = squared_error(choice.residual.samples, w.source, 384) * 256 <=
                   squared_error(stands, w.source, 384) * 256 + 4 * bit_worth(plan->qp);
        }
        if (!skip) {
            memset(&choice.motion, 0, sizeof choice.motion);
            choice.partition = WHOLE;
            choice.qp = s->qp;
            choice.residual.pattern = 0;
            memcpy(choice.residual.samples, stands, sizeof stands);
        }
    }
    forget(s, at);
    if (skip)
        write_skipped(c, s, at, skipped);
    else
        write_macroblock(c, s, at, &choice);
    if (s->coded[at] || s->moving[at])
        k->touched[k->touched_count++] = at;
    k->past[index] = s->macroblocks[at].motion[0];
    Patch *patch = add_patch(k, column, row);
    if (!patch)
        return 0;
    memcpy(patch->samples, choice.residual.samples, sizeof patch->samples);
    return 1;
}

size_t code_picture(Coder *k, const Plan *plan, Output *out)
{
    Slice *s = &k->slice;
    Cabac c;
    for (int i = 0; i < k->touched_count; i++)
        forget(s, k->touched[i]);
    k->touched_count = 0;
    s->qp = plan->qp;
    s->changed_qp = 0;
    cabac_begin(&c, plan->qp, out->memory);
    for (int row = 0; row < s->rows; row++) {
        const uint8_t *changed = k->changed + row * s->columns;
        uint8_t *waits = k->waits + row * s->columns;
        for (int column = 0; column < s->columns; column++) {
            int at = (row + 1) * s->stride + column + 1;
            if (!make_room(out, &c))
                return 0;
            if (!changed[column] && waits[column] > 1)
                waits[column]--;
            if (!changed[column] && waits[column] != 1 && !(s->moving[at - 1] && s->moving[at - s->stride]))
                write_skipped(&c, s, at, (Motion){0, 0, 0});
            else if (!code_macroblock(k, &c, plan, column, row))
                return 0;
            cabac_end_of_slice(&c, row == s->rows - 1 && column == s->columns - 1);
        }
    }
    pictures_advance(k);
    return (size_t)(c.at - out->memory);
}
