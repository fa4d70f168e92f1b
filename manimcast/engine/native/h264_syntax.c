/* The macroblock layer of P slices, 7.3.5 with the binarisations and contexts of 9.3.2 and 9.3.3.1, and the prediction
 * of motion, 8.4.1. */

#include "h264.h"

#include <stdlib.h>
#include <string.h>

/* ctxIdxOffset of Table 9-34, and with ctxBlockCatOffset of Table 9-40 by ctxBlockCat. */
enum { SKIP_FLAG = 11, TYPE = 14, SUB_TYPE = 21, MVD_X = 40, MVD_Y = 47, BACK = 54, QP_DELTA = 60 };
enum { LUMA_PATTERN = 73, CHROMA_PATTERN = 77, CODED_FLAG = 85, TRANSFORM8 = 399, INTRA_TYPE = 17, CHROMA_MODE = 64, SAME_MODE = 68 };
enum { LUMA_DC, LUMA_AC, LUMA4, CHROMA_DC, CHROMA_AC, LUMA8 };
static const int significant[] = {105, 120, 134, 149, 152, 402};
static const int last_one[] = {166, 181, 195, 210, 213, 417};
static const int magnitude_from[] = {227, 237, 247, 257, 266, 426};

/* Table 9-43, frame coded: ctxIdxInc of significant_coeff_flag and of last_significant_coeff_flag in blocks of 8x8. */
static const uint8_t significant8[63] = {
    0,  1,  2,  3,  4,  5,  5,  4,  4,  3,  3,  4,  4,  4,  5,  5,  4,  4,  4,  4,  3,
    3,  6,  7,  7,  7,  8,  9,  10, 9,  8,  7,  7,  6,  11, 12, 13, 11, 6,  7,  8,  9,
    14, 10, 9,  8,  6,  11, 12, 13, 11, 6,  9,  14, 10, 9,  11, 12, 13, 11, 14, 10, 12};
static const uint8_t last8[63] = {
    0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    3, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 8, 8, 8};

static void write_exponential(Cabac *c, int value, int k)
{
    while (value >= 1 << k) {
        cabac_bypass(c, 1);
        value -= 1 << k++;
    }
    cabac_bypass(c, 0);
    while (k--)
        cabac_bypass(c, value >> k & 1);
}

/* 7.3.5.3.3 without coded_block_flag: levels in scan order, one of them at least not zero. */
static void write_levels(Cabac *c, int category, const int16_t *level, int count)
{
    int last = count - 1;
    while (!level[last])
        last--;
    for (int i = 0; i < count - 1; i++) {
        int of = category == LUMA8 ? significant8[i] : category == CHROMA_DC && i > 2 ? 2 : i;
        cabac_bin(c, significant[category] + of, level[i] != 0);
        if (level[i]) {
            cabac_bin(c, last_one[category] + (category == LUMA8 ? last8[i] : of), i == last);
            if (i == last)
                break;
        }
    }
    int ones = 0, more = 0, from = magnitude_from[category];
    for (int i = last; i >= 0; i--) {
        if (!level[i])
            continue;
        int rest = abs(level[i]) - 1;
        cabac_bin(c, from + (more ? 0 : ones < 3 ? 1 + ones : 4), rest > 0);
        if (rest) {
            int most = category == CHROMA_DC ? 3 : 4, context = from + 5 + (more < most ? more : most);
            for (int k = 1; k < rest && k < 14; k++)
                cabac_bin(c, context, 1);
            if (rest < 14)
                cabac_bin(c, context, 0);
            else
                write_exponential(c, rest - 14, 0);
            more++;
        } else {
            ones++;
        }
        cabac_bypass(c, level[i] < 0);
    }
}

static int any(const int16_t *level, int count)
{
    int found = 0;
    for (int i = 0; i < count; i++)
        found |= level[i];
    return found != 0;
}

/* One component of mvd: UEG3 with the sign, uCoff 9. `neighbours` is the sum of theirs. */
static void write_moved(Cabac *c, int offset, int moved, int neighbours)
{
    int magnitude = abs(moved), context = offset + (neighbours < 3 ? 0 : neighbours > 32 ? 2 : 1);
    for (int i = 0; i < magnitude && i < 9; i++) {
        cabac_bin(c, context, 1);
        context = offset + (i < 3 ? 3 + i : 6);
    }
    if (magnitude < 9)
        cabac_bin(c, context, 0);
    else
        write_exponential(c, magnitude - 9, 3);
    if (magnitude)
        cabac_bypass(c, moved < 0);
}

static Motion median(Motion a, Motion b, Motion c)
{
#define MIDDLE(u, v, w) ((u) > (v) ? ((v) > (w) ? (v) : (u) > (w) ? (w) : (u)) : ((u) > (w) ? (u) : (v) > (w) ? (w) : (v)))
    Motion m = {MIDDLE(a.x, b.x, c.x), MIDDLE(a.y, b.y, c.y), 0};
    return m;
}

typedef struct {
    int there, moves; /* it is available; it refers to the same picture */
    Motion motion;
} Neighbour;

static Neighbour neighbour(const Macroblock *m, int quarter, int back)
{
    Neighbour found = {m->present, m->present && !m->intra && m->motion[quarter].back == back, m->motion[quarter]};
    return found;
}

/* 8.4.1.3. `within` has the motion of the macroblock's own quarters before. */
static Motion expected_of(const Slice *s, int at, int partition, int part, int back, const Motion *within)
{
    const Macroblock *m = &s->macroblocks[at], *left = m - 1, *above = m - s->stride;
    const Macroblock *right = above + 1, *corner = above - 1;
    Neighbour a, b, c;
    int quarter = partition == FOUR ? part : partition == TWO_HIGH ? 2 * part : part;
    Neighbour own[4];
    for (int i = 0; i < 4; i++) {
        own[i].there = 1;
        own[i].motion = i < quarter ? within[i] : (Motion){0, 0, 0};
        own[i].moves = own[i].motion.back == back;
    }
    a = quarter & 1 ? own[quarter - 1] : neighbour(left, quarter + 1, back);
    b = quarter & 2 ? own[quarter - 2] : neighbour(above, quarter + 2, back);
    int wide = partition == WHOLE || partition == TWO_HIGH;
    if (quarter == 0) {
        c = wide ? neighbour(right, 2, back) : neighbour(above, 3, back);
        if (!c.there)
            c = neighbour(corner, 3, back);
    } else if (quarter == 1) {
        c = neighbour(right, 2, back);
        if (!c.there)
            c = neighbour(above, 2, back);
    } else if (quarter == 2) {
        c = wide ? neighbour(left, 1, back) : own[1];
    } else {
        c = own[0];
    }
    if (partition == TWO_HIGH && part == 0 && b.moves)
        return b.motion;
    if (partition == TWO_HIGH && part == 1 && a.moves)
        return a.motion;
    if (partition == TWO_WIDE && part == 0 && a.moves)
        return a.motion;
    if (partition == TWO_WIDE && part == 1 && c.moves)
        return c.motion;
    if (a.there && !b.there && !c.there)
        return a.motion;
    if (a.moves + b.moves + c.moves == 1)
        return a.moves ? a.motion : b.moves ? b.motion : c.motion;
    return median(a.motion, b.motion, c.motion);
}

Motion expected_motion(const Slice *s, int at, int partition, int part, int back, const Motion *within)
{
    Motion m = expected_of(s, at, partition, part, back, within);
    m.back = (uint8_t)back;
    return m;
}

static int stays(Motion m)
{
    return !m.x && !m.y && !m.back;
}

/* 8.4.1.1. */
Motion skipped_motion(const Slice *s, int at)
{
    const Macroblock *m = &s->macroblocks[at], *left = m - 1, *above = m - s->stride;
    Motion none = {0, 0, 0};
    if (!left->present || !above->present)
        return none;
    if ((!left->intra && stays(left->motion[1])) || (!above->intra && stays(above->motion[2])))
        return none;
    return expected_motion(s, at, WHOLE, 0, 0, NULL);
}

static void write_skip_flag(Cabac *c, const Slice *s, int at, int skipped)
{
    cabac_bin(c, SKIP_FLAG + s->coded[at - 1] + s->coded[at - s->stride], skipped);
}

void write_skipped(Cabac *c, Slice *s, int at, Motion motion)
{
    write_skip_flag(c, s, at, 1);
    if (!stays(motion)) {
        for (int i = 0; i < 4; i++)
            s->macroblocks[at].motion[i] = motion;
        s->moving[at] = 1;
    }
    s->changed_qp = 0;
}

/* ref_idx_l0 of the part whose first quarter that is; the macroblock has its motion already. */
static void write_back(Cabac *c, const Slice *s, const Macroblock *m, int quarter)
{
    const Motion *left = quarter & 1 ? &m->motion[quarter - 1] : &m[-1].motion[quarter + 1];
    const Motion *above = quarter & 2 ? &m->motion[quarter - 2] : &m[-s->stride].motion[quarter + 2];
    int context = BACK + (left->back > 0) + 2 * (above->back > 0);
    for (int i = 0; i < m->motion[quarter].back; i++) {
        cabac_bin(c, context, 1);
        context = BACK + (i ? 5 : 4);
    }
    cabac_bin(c, context, 0);
}

static void write_partitions(Cabac *c, Slice *s, int at, const Choice *choice)
{
    Macroblock *m = &s->macroblocks[at];
    static const uint8_t bins[4][3] = {{0, 0, 0}, {0, 1, 1}, {0, 1, 0}, {0, 0, 1}}; /* Table 9-37 */
    const uint8_t *type = bins[choice->partition];
    cabac_bin(c, TYPE, type[0]);
    cabac_bin(c, TYPE + 1, type[1]);
    cabac_bin(c, TYPE + (type[1] ? 3 : 2), type[2]);
    if (choice->partition == FOUR)
        for (int i = 0; i < 4; i++)
            cabac_bin(c, SUB_TYPE, 1); /* 8x8 */
    static const uint8_t parts[4] = {1, 2, 2, 4};
    memset(m->moved, 0, sizeof m->moved);
    memcpy(m->motion, choice->motion, sizeof m->motion);
    for (int part = 0; s->pictures > 1 && part < parts[choice->partition]; part++)
        write_back(c, s, m, choice->partition == TWO_HIGH ? 2 * part : part);
    for (int part = 0; part < parts[choice->partition]; part++) {
        int first = choice->partition == TWO_HIGH ? 2 * part : part;
        Motion expected = expected_motion(s, at, choice->partition, part, choice->motion[first].back, choice->motion);
        int x = choice->motion[first].x - expected.x, y = choice->motion[first].y - expected.y;
        const uint8_t *left = first & 1 ? m->moved[first - 1] : m[-1].moved[first + 1];
        const uint8_t *above = first & 2 ? m->moved[first - 2] : m[-s->stride].moved[first + 2];
        int sum_x = left[0] + above[0], sum_y = left[1] + above[1];
        write_moved(c, MVD_X, x, sum_x);
        write_moved(c, MVD_Y, y, sum_y);
        uint8_t moved_x = (uint8_t)(abs(x) < 255 ? abs(x) : 255), moved_y = (uint8_t)(abs(y) < 255 ? abs(y) : 255);
        for (int i = 0; i < 4; i++) {
            int of = choice->partition == WHOLE ? 0 : choice->partition == TWO_HIGH ? i / 2 : choice->partition == TWO_WIDE ? i % 2 : i;
            if (of == part) {
                m->moved[i][0] = moved_x;
                m->moved[i][1] = moved_y;
            }
        }
    }
}

static void write_coded_flag(Cabac *c, int category, int left, int above, int coded)
{
    cabac_bin(c, CODED_FLAG + 4 * category + left + 2 * above, coded);
}

/* mb_type of an I macroblock in a P slice, and how it is predicted. Table 9-36. */
static void write_intra(Cabac *c, Slice *s, int at, const Choice *choice)
{
    Macroblock *m = &s->macroblocks[at];
    const Macroblock *left = m - 1, *above = m - s->stride;
    int chroma = choice->residual.pattern >> 4;
    memset(m->moved, 0, sizeof m->moved);
    memset(m->motion, 0, sizeof m->motion);
    memset(m->modes, MODE_DC, sizeof m->modes);
    cabac_bin(c, TYPE, 1);
    cabac_bin(c, INTRA_TYPE, choice->partition == INTRA16);
    if (choice->partition == INTRA16) {
        cabac_end_of_slice(c, 0); /* not I_PCM */
        cabac_bin(c, INTRA_TYPE + 1, (choice->residual.pattern & 15) != 0);
        cabac_bin(c, INTRA_TYPE + 2, chroma != 0);
        if (chroma)
            cabac_bin(c, INTRA_TYPE + 2, chroma == 2);
        cabac_bin(c, INTRA_TYPE + 3, choice->mode16 >> 1);
        cabac_bin(c, INTRA_TYPE + 3, choice->mode16 & 1);
    } else {
        if (s->has_transform8)
            cabac_bin(c, TRANSFORM8 + left->transform8 + above->transform8, 0);
        for (int i = 0; i < 16; i++) {
            int x = (i & 1) | (i & 4) >> 1, y = (i & 2) >> 1 | (i & 8) >> 2;
            int expected = expected_mode(s, at, x, y, m->modes), mode = choice->modes[i];
            cabac_bin(c, SAME_MODE, mode == expected);
            if (mode != expected) {
                int rest = mode > expected ? mode - 1 : mode;
                for (int bit = 0; bit < 3; bit++)
                    cabac_bin(c, SAME_MODE + 1, rest >> bit & 1);
            }
            m->modes[4 * y + x] = (uint8_t)mode;
        }
    }
    int mode = choice->chroma_mode;
    cabac_bin(c, CHROMA_MODE + (left->chroma_mode != 0) + (above->chroma_mode != 0), mode != 0);
    for (int i = 1; i <= mode && i < 3; i++)
        cabac_bin(c, CHROMA_MODE + 3, mode != i);
    m->chroma_mode = (uint8_t)mode;
}

static void write_pattern(Cabac *c, const Slice *s, int at, int pattern)
{
    const Macroblock *left = &s->macroblocks[at - 1], *above = &s->macroblocks[at - s->stride];
    for (int i = 0; i < 4; i++) {
        int a = i & 1 ? !(pattern >> (i - 1) & 1) : left->present && !(left->pattern >> (i + 1) & 1);
        int b = i & 2 ? !(pattern >> (i - 2) & 1) : above->present && !(above->pattern >> (i + 2) & 1);
        cabac_bin(c, LUMA_PATTERN + a + 2 * b, pattern >> i & 1);
    }
    int chroma = pattern >> 4;
    cabac_bin(c, CHROMA_PATTERN + (left->pattern >> 4 != 0) + 2 * (above->pattern >> 4 != 0), chroma != 0);
    if (chroma)
        cabac_bin(c, CHROMA_PATTERN + 4 + (left->pattern >> 4 == 2) + 2 * (above->pattern >> 4 == 2), chroma == 2);
}

static void write_qp(Cabac *c, Slice *s, int qp)
{
    int delta = qp - s->qp; /* within -26 to 25, modulo 52 */
    delta = delta > 25 ? delta - 52 : delta < -26 ? delta + 52 : delta;
    int code = delta > 0 ? 2 * delta - 1 : -2 * delta, context = QP_DELTA + s->changed_qp;
    for (int i = 0; i < code; i++) {
        cabac_bin(c, context, 1);
        context = QP_DELTA + (i ? 3 : 2);
    }
    cabac_bin(c, context, 0);
    s->qp = qp;
    s->changed_qp = delta != 0;
}

/* A flag of a neighbour; where there is none it counts as set in intra macroblocks. 9.3.3.1.1.9. */
static int coded_at(const Macroblock *m, const Macroblock *neighbour, int flags)
{
    return neighbour->present ? flags & 1 : m->intra;
}

static void write_luma(Cabac *c, Slice *s, int at, const Residual *r, int dc_apart)
{
    Macroblock *m = &s->macroblocks[at];
    const Macroblock *left = m - 1, *above = m - s->stride;
    int category = dc_apart ? LUMA_AC : LUMA4, count = dc_apart ? 15 : 16;
    if (dc_apart) {
        m->dc_coded = (uint8_t)any(r->luma_dc, 16);
        write_coded_flag(c, LUMA_DC, coded_at(m, left, left->dc_coded), coded_at(m, above, above->dc_coded), m->dc_coded);
        if (m->dc_coded)
            write_levels(c, LUMA_DC, r->luma_dc, 16);
    }
    for (int i = 0; i < 16; i++) {
        if (!(r->pattern >> (i / 4) & 1))
            continue;
        if (r->transform8) {
            write_levels(c, LUMA8, r->luma + 16 * i, 64);
            m->luma_coded |= (uint16_t)(0x33 << ((i & 4) / 2 + (i & 8)));
            i += 3;
            continue;
        }
        int x = (i & 1) | (i & 4) >> 1, y = (i & 2) >> 1 | (i & 8) >> 2;
        int a = x ? m->luma_coded >> (4 * y + x - 1) & 1 : coded_at(m, left, left->luma_coded >> (4 * y + 3));
        int b = y ? m->luma_coded >> (4 * y - 4 + x) & 1 : coded_at(m, above, above->luma_coded >> (12 + x));
        int coded = any(r->luma + 16 * i, count);
        write_coded_flag(c, category, a, b, coded);
        if (coded) {
            write_levels(c, category, r->luma + 16 * i, count);
            m->luma_coded |= (uint16_t)(1 << (4 * y + x));
        }
    }
}

static void write_chroma(Cabac *c, Slice *s, int at, const Residual *r)
{
    Macroblock *m = &s->macroblocks[at];
    const Macroblock *left = m - 1, *above = m - s->stride;
    for (int p = 0; p < 2; p++) {
        int coded = any(r->chroma_dc[p], 4);
        int a = coded_at(m, left, left->chroma_coded[p] >> 4), b = coded_at(m, above, above->chroma_coded[p] >> 4);
        write_coded_flag(c, CHROMA_DC, a, b, coded);
        if (coded) {
            write_levels(c, CHROMA_DC, r->chroma_dc[p], 4);
            m->chroma_coded[p] |= 16;
        }
    }
    for (int p = 0; r->pattern >> 5 && p < 2; p++) {
        for (int i = 0; i < 4; i++) {
            int coded = any(r->chroma_ac[p][i], 15);
            int a = i & 1 ? m->chroma_coded[p] >> (i - 1) & 1 : coded_at(m, left, left->chroma_coded[p] >> (i + 1));
            int b = i & 2 ? m->chroma_coded[p] >> (i - 2) & 1 : coded_at(m, above, above->chroma_coded[p] >> (i + 2));
            write_coded_flag(c, CHROMA_AC, a, b, coded);
            if (coded) {
                write_levels(c, CHROMA_AC, r->chroma_ac[p][i], 15);
                m->chroma_coded[p] |= (uint8_t)(1 << i);
            }
        }
    }
}

void write_macroblock(Cabac *c, Slice *s, int at, const Choice *choice)
{
    Macroblock *m = &s->macroblocks[at];
    const Residual *r = &choice->residual;
    m->intra = choice->partition >= INTRA16;
    m->pattern = r->pattern;
    m->luma_coded = 0;
    m->chroma_coded[0] = m->chroma_coded[1] = 0;
    m->transform8 = m->dc_coded = m->chroma_mode = 0;
    write_skip_flag(c, s, at, 0);
    s->coded[at] = 1;
    s->moving[at] = m->intra;
    if (m->intra) {
        write_intra(c, s, at, choice);
    } else {
        write_partitions(c, s, at, choice);
        for (int i = 0; i < 4; i++)
            s->moving[at] |= (uint8_t)!stays(choice->motion[i]);
    }
    if (choice->partition != INTRA16)
        write_pattern(c, s, at, r->pattern);
    if (r->pattern & 15 && s->has_transform8 && !m->intra) {
        cabac_bin(c, TRANSFORM8 + m[-1].transform8 + m[-s->stride].transform8, r->transform8);
        m->transform8 = r->transform8;
    }
    if (r->pattern || choice->partition == INTRA16) {
        write_qp(c, s, choice->qp);
        write_luma(c, s, at, r, choice->partition == INTRA16);
        if (r->pattern >> 4)
            write_chroma(c, s, at, r);
    } else {
        s->changed_qp = 0;
    }
}

void forget(Slice *s, int at)
{
    memset(&s->macroblocks[at], 0, sizeof s->macroblocks[at]);
    memset(s->macroblocks[at].modes, MODE_DC, sizeof s->macroblocks[at].modes);
    s->macroblocks[at].present = 1;
    s->coded[at] = s->moving[at] = 0;
}
