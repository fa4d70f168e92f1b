/* What a macroblock is coded as: motion by sums of absolute differences, the rest by squared error and bits. */

#include "h264_coder.h"

#include <string.h>

/* 0.85 * 2 ** ((qp - 12) / 3), in 256ths, and about its root. */
static const int32_t worth[52] = {
    14,   17,   22,   27,   34,   43,   54,   69,   86,   109,  137,   173,   218,   274,   345,   435,   548,   691,
    870,  1097, 1382, 1741, 2193, 2763, 3482, 4387, 5527, 6963, 8773,  11053, 13926, 17546, 22107, 27853, 35092, 44213,
    55706, 70185, 88427, 111411, 140369, 176854, 222822, 280738, 353707, 445645, 561476, 707415, 891290, 1122952,
    1414829, 1782579};
static const uint8_t root_worth[52] = {1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  1,  2,
                                       2,  2,  2,  3,  3,  3,  4,  4,  5,  5,  6,  7,  7,  8,  9,  10, 12, 13,
                                       15, 17, 19, 21, 23, 26, 29, 33, 37, 42, 47, 52, 59, 66, 74, 83};

enum {
    FOUND = 6,       /* motions that the partitions choose from */
    ANY = 1 << 29,   /* no limit to what motion may cost */
    LIGHT = 30,      /* differences, in units of a bit's worth, for which nothing finer is tried */
    CHEAP_BITS = 4,  /* an error worth less is left */
    DEAR_BITS = 24,  /* what costs less is good enough */
};

int64_t bit_worth(int qp)
{
    return worth[qp];
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

static int is_zero(Motion m)
{
    return !m.x && !m.y && !m.back;
}

/* About how many bits it takes to say to which picture motion refers. */
static int back_bits(const Slice *s, int back)
{
    return s->pictures > 1 ? 1 + back : 0;
}

/* Motions that may fit: of the neighbours, and of the picture before, as far as they refer to the picture `back`. */
static int gather(const Coder *k, const Work *w, int back, Motion *candidates)
{
    const Slice *s = &k->slice;
    const Macroblock *m = &s->macroblocks[w->at];
    int count = 0;
    const Macroblock *around[3] = {m - 1, m - s->stride, m - s->stride + 1};
    static const int quarters[3] = {1, 2, 2};
    for (int i = 0; i < 3; i++)
        if (around[i]->present && around[i]->motion[quarters[i]].back == back)
            candidates[count++] = around[i]->motion[quarters[i]];
    Motion past = k->past[w->row * s->columns + w->column];
    if (past.back == back)
        candidates[count++] = past;
    candidates[count++] = expected_motion(s, w->at, WHOLE, 0, back, NULL);
    return count;
}

/* Find motion of a square block, that of the whole or of the quarter at (x, y), to whichever picture it costs least.
 * Beginning with `cost`, what there is already, which is returned where nothing costs less. */
static int find(const Coder *k, const Work *w, const uint8_t *source, int x, int y, int size, int first, int cost,
                Motion *found)
{
    int lambda = root_worth[w->qp];
    for (int back = first; back < k->slice.pictures; back++) {
        Motion candidates[8], m;
        int count = gather(k, w, back, candidates), of;
        of = search(picture_before(k, back), source, x, y, size, candidates, count, candidates[count - 1], lambda,
                    back ? cost : ANY, &m) + lambda * back_bits(&k->slice, back);
        if (of < cost && within_reach(picture_before(k, back), 16 * w->column, 16 * w->row, 16, m)) {
            cost = of;
            *found = m;
        }
        if (cost <= LIGHT * lambda * size * size / 256)
            break;
    }
    return cost;
}

/* Find motion of the whole. Returns the sum of absolute differences, and what the motion costs. */
static int find_motion(const Coder *k, const Work *w, Choice *choice)
{
    Motion found = {0, 0, 0};
    int cost = find(k, w, w->source, 16 * w->column, 16 * w->row, 16, 0, ANY, &found);
    choice->partition = WHOLE;
    for (int i = 0; i < 4; i++)
        choice->motion[i] = found;
    return cost;
}

/* The sums of absolute differences by quarter, with that motion of the whole. */
static void measure(const Coder *k, const Work *w, Motion m, int *errors)
{
    uint8_t samples[384];
    predict(picture_before(k, m.back), 16 * w->column, 16 * w->row, 16, 16, 0, 0, m, samples);
    for (int i = 0; i < 4; i++) {
        int at = 128 * (i >> 1) + 8 * (i & 1);
        errors[i] = difference(w->source + at, samples + at, 8, 8);
    }
}

/* Add motion to what the partitions choose from, unless it is there. */
static void add_found(const Coder *k, const Work *w, Motion m, Motion *found, int errors[][4], int *bits, int *seen)
{
    for (int i = 0; i < *seen; i++)
        if (found[i].x == m.x && found[i].y == m.y && found[i].back == m.back)
            return;
    Motion expected = expected_motion(&k->slice, w->at, WHOLE, 0, m.back, NULL);
    found[*seen] = m;
    measure(k, w, m, errors[*seen]);
    bits[*seen] = root_worth[w->qp] * (motion_bits(m.x - expected.x, m.y - expected.y) + back_bits(&k->slice, m.back));
    ++*seen;
}

/* Find motion by partition, where that is better than the motion that was found of the whole. */
static void find_partition(const Coder *k, const Work *w, Choice *choice)
{
    int lambda = root_worth[w->qp], x = 16 * w->column, y = 16 * w->row;
    Motion found[FOUND];
    int seen = 0, errors[FOUND][4], bits[FOUND], best[4] = {0}, cost[4];
    add_found(k, w, choice->motion[0], found, errors, bits, &seen);
    add_found(k, w, (Motion){0, 0, 0}, found, errors, bits, &seen);
    for (int i = 0; i < 4; i++) {
        uint8_t quarter[128];
        Motion m;
        if (errors[0][i] <= LIGHT * lambda / 4)
            continue;
        for (int line = 0; line < 8; line++)
            memcpy(quarter + 16 * line, w->source + 128 * (i >> 1) + 16 * line + 8 * (i & 1), 8);
        if (find(k, w, quarter, x + 8 * (i & 1), y + 8 * (i >> 1), 8, 0, ANY, &m) < ANY)
            add_found(k, w, m, found, errors, bits, &seen);
    }
    if (seen == 1)
        return;
    static const uint8_t parts[4] = {1, 2, 2, 4};
    static const uint8_t part_of[4][4] = {{0, 0, 0, 0}, {0, 0, 1, 1}, {0, 1, 0, 1}, {0, 1, 2, 3}};
    static const uint8_t type_bits[4] = {1, 4, 4, 6};
    int least = 1 << 30;
    for (int partition = WHOLE; partition <= FOUR; partition++) {
        int sum = lambda * type_bits[partition];
        for (int part = 0; part < parts[partition]; part++) {
            cost[part] = 1 << 30;
            for (int f = 0; f < seen; f++) {
                int of = bits[f];
                for (int i = 0; i < 4; i++)
                    of += part_of[partition][i] == part ? errors[f][i] : 0;
                if (of < cost[part]) {
                    cost[part] = of;
                    best[part] = f;
                }
            }
            sum += cost[part];
        }
        if (sum < least) {
            least = sum;
            choice->partition = partition;
            for (int i = 0; i < 4; i++)
                choice->motion[i] = found[best[part_of[partition][i]]];
        }
    }
}

static void predict_all(const Coder *k, const Work *w, const Choice *choice, uint8_t *samples)
{
    static const uint8_t parts[4] = {1, 2, 2, 4};
    int width = choice->partition == TWO_WIDE || choice->partition == FOUR ? 8 : 16;
    int height = choice->partition == TWO_HIGH || choice->partition == FOUR ? 8 : 16;
    for (int part = 0; part < parts[choice->partition]; part++) {
        int first = choice->partition == TWO_HIGH ? 2 * part : part;
        Motion m = choice->motion[first];
        predict(picture_before(k, m.back), 16 * w->column, 16 * w->row, width, height, 8 * (first & 1), 8 * (first >> 1),
                m, samples);
    }
}

static uint32_t count_bits(const Coder *k, const Cabac *c, const Work *w, const Choice *choice)
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

static void look_around(const Coder *k, const Work *w, Surroundings *s)
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
static int64_t code_intra_chroma(const Coder *k, const Work *w, const Surroundings *s, Choice *choice, uint8_t *predicted)
{
    int least = 1 << 30;
    uint8_t samples[128];
    for (int mode = 0; mode < 4; mode++) {
        if (!predict_chroma8(s, mode, samples))
            continue;
        int cost = difference_of(w->source + 256, samples, 128) + (mode ? 2 * root_worth[w->qp] : 0);
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
static int find_intra16(const Work *w, const Surroundings *s, Choice *choice, uint8_t *predicted)
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

static int64_t code_intra16(const Coder *k, const Cabac *c, const Work *w, int64_t chroma, const uint8_t *predicted,
                            Choice *choice)
{
    int64_t error = chroma + code_luma16(&choice->residual, w->source, predicted, w->qp);
    return 256 * error + bit_worth(w->qp) * count_bits(k, c, w, choice) / 256;
}

static int64_t code_intra4(const Coder *k, const Cabac *c, const Work *w, Surroundings *s, int64_t chroma, Choice *choice)
{
    static const uint16_t nothing_at_the_right = 1 << 3 | 1 << 7 | 1 << 11 | 1 << 13 | 1 << 15;
    int lambda = root_worth[w->qp];
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
    int light = LIGHT * root_worth[w->qp], inter = find_motion(k, w, choice);
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
    return !choice->residual.pattern && is_zero(skipped);
}
