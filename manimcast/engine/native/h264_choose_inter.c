/* Which motion a macroblock has, of the whole or by parts, and to which pictures, by sums of absolute differences. */

#include "h264_coder.h"

#include <string.h>

enum {
    FOUND = 6,     /* motions that the partitions choose from */
    ANY = 1 << 29, /* more than any motion costs */
};

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
 * Returns the cost; what it finds is within reach of the whole, and if there is nothing the cost is ANY. */
static int find(const Coder *k, const Work *w, const uint8_t *source, int x, int y, int size, Motion *found)
{
    int lambda = root_worth(w->qp), cost = ANY;
    for (int back = 0; back < k->slice.pictures; back++) {
        Motion candidates[8], m;
        int count = gather(k, w, back, candidates), of;
        of = search(picture_before(k, back), source, x, y, size, candidates, count, candidates[count - 1], lambda,
                    cost, &m) + lambda * back_bits(&k->slice, back);
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
int find_motion(const Coder *k, const Work *w, Choice *choice)
{
    Motion found = {0, 0, 0};
    int cost = find(k, w, w->source, 16 * w->column, 16 * w->row, 16, &found);
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
    bits[*seen] = root_worth(w->qp) * (motion_bits(m.x - expected.x, m.y - expected.y) + back_bits(&k->slice, m.back));
    ++*seen;
}

/* Find motion by partition, where that is better than the motion that was found of the whole. */
void find_partition(const Coder *k, const Work *w, Choice *choice)
{
    int lambda = root_worth(w->qp), x = 16 * w->column, y = 16 * w->row;
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
        if (find(k, w, quarter, x + 8 * (i & 1), y + 8 * (i >> 1), 8, &m) < ANY)
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

void predict_all(const Coder *k, const Work *w, const Choice *choice, uint8_t *samples)
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
