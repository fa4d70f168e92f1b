/* The prediction of motion from what is around, 8.4.1. */

#include "h264.h"

#include <stddef.h>

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
