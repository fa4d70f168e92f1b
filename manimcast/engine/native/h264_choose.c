/* What a macroblock is coded as, by squared error and bits. */

#include "h264_coder.h"

#include <string.h>

/* 0.85 * 2 ** ((qp - 12) / 3), in 256ths, and about its root. */
static const int32_t worth[52] = {
    14,   17,   22,   27,   34,   43,   54,   69,   86,   109,  137,   173,   218,   274,   345,   435,   548,   691,
    870,  1097, 1382, 1741, 2193, 2763, 3482, 4387, 5527, 6963, 8773,  11053, 13926, 17546, 22107, 27853, 35092, 44213,
    55706, 70185, 88427, 111411, 140369, 176854, 222822, 280738, 353707, 445645, 561476, 707415, 891290, 1122952,
    1414829, 1782579};
static const uint8_t roots[52] = {1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  2,
                                       2,  2,  2,  3,  3,  3,  4,  4,  5,  5,  6,  7,  7,  8,  9,  10, 12, 13,
                                       15, 17, 19, 21, 23, 26, 29, 33, 37, 42, 47, 52, 59, 66, 74, 83};

enum {
    CHEAP_BITS = 4, /* an error worth less is left */
    DEAR_BITS = 24, /* what costs less is good enough */
};

int64_t bit_worth(int qp)
{
    return worth[qp];
}

int root_worth(int qp)
{
    return roots[qp];
}

void stand_in(const Coder *k, int column, int row, uint8_t *samples)
{
    const Reference *r = picture_before(k, 0);
    for (int y = 0; y < 16; y++)
        memcpy(samples + 16 * y, r->planes[0] + (16 * row + y) * r->stride + 16 * column, 16);
    for (int p = 0; p < 2; p++)
        for (int y = 0; y < 8; y++)
            memcpy(samples + 256 + 64 * p + 8 * y, r->planes[1 + p] + (8 * row + y) * r->chroma_stride + 8 * column, 8);
}

uint32_t count_bits(const Coder *k, const Cabac *c, const Work *w, const Choice *choice)
{
    Cabac trial = *c;
    Slice slice = k->slice; /* its lists are the same, but what is there of this macroblock is written again */
    trial.counting = 1;
    trial.bits = 0;
    write_macroblock(&trial, &slice, w->at, choice);
    return trial.bits;
}

/* Code what the prediction lacks, with the transform that costs less. Return error and bits in 256ths of error. */
static int64_t code_residual(const Coder *k, const Cabac *c, const Work *w, const uint8_t *predicted, Choice *choice)
{
    int64_t lambda = bit_worth(w->qp), chroma, cost;
    Residual *r = &choice->residual;
    choice->qp = w->qp;
    r->pattern = 0;
    chroma = code_chroma(r, w->source, predicted, chroma_qp(w->qp, k->qp_offsets[0]), chroma_qp(w->qp, k->qp_offsets[1]), lambda);
    cost = 256 * (chroma + code_luma(r, w->source, predicted, w->qp, 0, lambda));
    cost += lambda * count_bits(k, c, w, choice) / 256;
    if (k->slice.has_transform8 && r->pattern & 15) {
        Choice other;
        other.partition = choice->partition;
        other.qp = choice->qp;
        memcpy(other.motion, choice->motion, sizeof other.motion);
        other.residual = *r;
        int64_t with = 256 * (chroma + code_luma(&other.residual, w->source, predicted, w->qp, 1, lambda));
        if (!(other.residual.pattern & 15))
            return cost;
        with += lambda * count_bits(k, c, w, &other) / 256;
        if (with < cost) {
            *choice = other;
            return with;
        }
    }
    return cost;
}

int choose(const Coder *k, const Cabac *c, const Work *w, Motion skipped, Choice *choice)
{
    uint8_t predicted[384], skip[384], intra[384];
    int64_t cost_skip = INT64_MAX, lambda = bit_worth(w->qp);
    if (within_reach(picture_before(k, 0), 16 * w->column, 16 * w->row, 16, skipped)) {
        predict(picture_before(k, 0), 16 * w->column, 16 * w->row, 16, 16, 0, 0, skipped, skip);
        cost_skip = 256 * squared_error(w->source, skip, 384) + lambda / 2;
        if (cost_skip < CHEAP_BITS * lambda) {
            memcpy(choice->residual.samples, skip, 384);
            return 1;
        }
    }
    int light = LIGHT * root_worth(w->qp), inter = find_motion(k, w, choice);
    Surroundings around;
    Choice other;
    look_around(k, w, &around);
    other.qp = w->qp;
    memset(other.motion, 0, sizeof other.motion);
    int within = find_intra16(w, &around, &other, intra);
    int64_t cost = INT64_MAX;
    /* One of both alone where it is far better than the other. */
    if (inter <= 3 * within + light) {
        if (inter > light && within > inter / 4)
            find_partition(k, w, choice);
        predict_all(k, w, choice, predicted);
        cost = code_residual(k, c, w, predicted, choice);
    }
    if (within < 2 * inter && (inter > light || within < inter / 2) && cost > DEAR_BITS * lambda) {
        int64_t chroma = code_intra_chroma(k, w, &around, &other, intra);
        int64_t by_other = code_intra16(k, c, w, chroma, intra, &other);
        if (by_other < cost) {
            cost = by_other;
            *choice = other;
        }
        if (within > light && by_other > DEAR_BITS * lambda) {
            by_other = code_intra4(k, c, w, &around, chroma, &other);
            if (by_other < cost) {
                cost = by_other;
                *choice = other;
            }
        }
    }
    if (cost_skip <= cost) {
        memcpy(choice->residual.samples, skip, 384);
        return 1;
    }
    return 0;
}

int choose_refinement(const Coder *k, const Cabac *c, const Work *w, Motion skipped, Choice *choice)
{
    uint8_t stands[384];
    stand_in(k, w->column, w->row, stands);
    choice->partition = WHOLE;
    memset(choice->motion, 0, sizeof choice->motion);
    code_residual(k, c, w, stands, choice);
    return !choice->residual.pattern && stays(skipped);
}
