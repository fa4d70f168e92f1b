/* The macroblock layer of P slices, 7.3.5 with the binarisations and contexts of 9.3.2 and 9.3.3.1. */

#include "h264.h"

#include <stdlib.h>
#include <string.h>

/* ctxIdxOffset of Table 9-34. */
enum { SKIP_FLAG = 11, TYPE = 14, SUB_TYPE = 21, MVD_X = 40, MVD_Y = 47, BACK = 54, QP_DELTA = 60 };
enum { LUMA_PATTERN = 73, CHROMA_PATTERN = 77, TRANSFORM8 = 399, INTRA_TYPE = 17, CHROMA_MODE = 64, SAME_MODE = 68 };
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
        cabac_exponential(c, magnitude - 9, 3);
    if (magnitude)
        cabac_bypass(c, moved < 0);
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
