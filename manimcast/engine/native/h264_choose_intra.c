/* Coding a macroblock by what is around it: which way of intra prediction, and what that lacks. */

#include "h264_coder.h"

#include <string.h>

/* One row or column of a neighbouring macroblock as this picture has it: `step` is 1 or 0 for a row, 0 or 1 for a
 * column, and the first sample is (x, y). */
static void neighbouring(const Coder *k, int column, int row, int plane, int x, int y, int down, int count, uint8_t *to,
                         ptrdiff_t to_step)
{
    int size = plane ? 8 : 16, patch = k->patch_of[row * k->slice.columns + column];
    const Reference *r = picture_before(k, 0);
    ptrdiff_t stride = patch ? size : plane ? r->chroma_stride : r->stride;
    const uint8_t *at = patch ? k->patches[patch - 1].samples + (plane ? 192 + 64 * plane : 0)
                              : r->planes[plane] + row * size * stride + column * size;
    at += y * stride + x;
    for (int i = 0; i < count; i++)
        to[i * to_step] = at[i * (down ? stride : 1)];
}

void look_around(const Coder *k, const Work *w, Surroundings *s)
{
    const Macroblock *m = &k->slice.macroblocks[w->at];
    s->left = m[-1].present;
    s->above = m[-k->slice.stride].present;
    s->corner = m[-k->slice.stride - 1].present;
    s->right = m[-k->slice.stride + 1].present;
    for (int p = 0; p < 3; p++) {
        int size = p ? 8 : 16, last = size - 1;
        uint8_t *to = p ? s->chroma[p - 1] : s->luma;
        if (s->corner)
            neighbouring(k, w->column - 1, w->row - 1, p, last, last, 0, 1, to, 1);
        if (s->above)
            neighbouring(k, w->column, w->row - 1, p, 0, last, 0, size, to + 1, 1);
        if (s->right && !p)
            neighbouring(k, w->column + 1, w->row - 1, p, 0, last, 0, 4, to + 17, 1);
        if (s->left)
            neighbouring(k, w->column - 1, w->row, p, last, 0, 1, size, to + AROUND, AROUND);
    }
}

/* Choose how chroma is predicted, and code it. Returns the squared error. */
int64_t code_intra_chroma(const Coder *k, const Work *w, const Surroundings *s, Choice *choice, uint8_t *predicted)
{
    int least = 1 << 30;
    uint8_t samples[128];
    for (int mode = 0; mode < 4; mode++) {
        if (!predict_chroma8(s, mode, samples))
            continue;
        int cost = difference_of(w->source + 256, samples, 128) + (mode ? 2 * root_worth(w->qp) : 0);
        if (cost < least) {
            least = cost;
            choice->chroma_mode = (uint8_t)mode;
            memcpy(predicted + 256, samples, 128);
        }
    }
    choice->residual.pattern = 0;
    return code_chroma(&choice->residual, w->source, predicted, chroma_qp(w->qp, k->qp_offsets[0]),
                       chroma_qp(w->qp, k->qp_offsets[1]), bit_worth(w->qp));
}

/* How a macroblock is predicted from what is around it. Returns the sum of absolute differences. */
int find_intra16(const Work *w, const Surroundings *s, Choice *choice, uint8_t *predicted)
{
    int least = 1 << 30;
    uint8_t samples[256];
    choice->partition = INTRA16;
    for (int mode = 0; mode < MODES16; mode++) {
        if (!predict16(s, mode, samples))
            continue;
        int cost = difference(w->source, samples, 16, 16);
        if (cost < least) {
            least = cost;
            choice->mode16 = (uint8_t)mode;
            memcpy(predicted, samples, sizeof samples);
        }
    }
    return least;
}

int64_t code_intra16(const Coder *k, const Cabac *c, const Work *w, int64_t chroma, const uint8_t *predicted,
                            Choice *choice)
{
    int64_t error = chroma + code_luma16(&choice->residual, w->source, predicted, w->qp);
    return 256 * error + bit_worth(w->qp) * count_bits(k, c, w, choice) / 256;
}

int64_t code_intra4(const Coder *k, const Cabac *c, const Work *w, Surroundings *s, int64_t chroma, Choice *choice)
{
    static const uint16_t nothing_at_the_right = 1 << 3 | 1 << 7 | 1 << 11 | 1 << 13 | 1 << 15;
    int lambda = root_worth(w->qp);
    uint8_t modes[16], *first = s->luma + AROUND + 1;
    Residual *r = &choice->residual;
    choice->partition = INTRA4;
    r->transform8 = 0;
    r->pattern &= 0xf0;
    for (int i = 0; i < 16; i++) {
        int x = (i & 1) | (i & 4) >> 1, y = (i & 2) >> 1 | (i & 8) >> 2, least = 1 << 30;
        int left = x || s->left, above = y || s->above, corner = x ? y || s->above : y ? s->left : s->corner;
        int right = y ? !(nothing_at_the_right >> i & 1) : x < 3 ? s->above : s->right;
        int expected = expected_mode(&k->slice, w->at, x, y, modes);
        const uint8_t *source = w->source + 64 * y + 4 * x;
        uint8_t *at = first + 4 * y * AROUND + 4 * x, wanted[16], samples[16], predicted[16] = {0};
        for (int line = 0; line < 4; line++)
            memcpy(wanted + 4 * line, source + 16 * line, 4);
        Line line_around;
        prepare4x4(at, left, above, corner, right, &line_around);
        for (int mode = 0; mode < MODES4; mode++) {
            if (!predict4(&line_around, mode, samples))
                continue;
            int cost = difference_of(wanted, samples, 16) + lambda * (mode == expected ? 1 : 4);
            if (cost < least) {
                least = cost;
                choice->modes[i] = (uint8_t)mode;
                memcpy(predicted, samples, sizeof predicted);
            }
        }
        modes[4 * y + x] = choice->modes[i];
        if (code_luma4(source, 16, predicted, w->qp, r->luma + 16 * i, at, AROUND))
            r->pattern |= (uint8_t)(1 << (i / 4));
    }
    for (int y = 0; y < 16; y++)
        memcpy(r->samples + 16 * y, first + y * AROUND, 16);
    int64_t error = chroma + squared_error(w->source, r->samples, 256);
    return 256 * error + bit_worth(w->qp) * count_bits(k, c, w, choice) / 256;
}
