/* Compares gradients that are laid here with pixman's own: random ones, and some that tell. */

#include "native.h"

#include "pixels.h"

#include <string.h>

enum { WIDE = 160, HIGH = 3, ROUNDS = 256, STOPS = 4 };

/* One gradient, and what it is laid over. */
struct trial {
    struct gradient_point ends[2];
    struct gradient_stop stops[STOPS];
    int count;
    struct gradient_matrix matrix;
    uint32_t pixels[HIGH * WIDE];
    uint32_t coverages[WIDE / 4];
    int is_masked, x, y, left, width, height;
};

static int comes_out_the_same(struct trial *trial)
{
    uint32_t ours[HIGH * WIDE];
    memcpy(ours, trial->pixels, sizeof ours);
    pixman_image_t *theirs = pixman.image_create_bits(ARGB, WIDE, HIGH, trial->pixels, WIDE * 4);
    pixman_image_t *other = pixman.image_create_bits(ARGB, WIDE, HIGH, ours, WIDE * 4);
    pixman_image_t *coverage = pixman.image_create_bits(A8, WIDE, HIGH, trial->coverages, 0);
    pixman_image_t *source = pixels_create_gradient(&trial->ends[0], &trial->ends[1], trial->stops, trial->count);
    pixman_image_t *mask = trial->is_masked ? coverage : NULL;
    int same = 0;
    if (theirs != NULL && other != NULL && coverage != NULL && source != NULL &&
        pixels_set_transform(source, &trial->matrix)) {
        pixels_set_repeat(source, PAD);
        pixman.image_composite32(OVER, source, mask, theirs, trial->x, trial->y, 0, 0, trial->left, 0, trial->width,
                                 trial->height);
        same = pixels_are_one_row(mask, 0, 0, trial->width, trial->height) &&
               pixels_lay(mask, other, trial->x, trial->y, trial->left, 0, trial->width, trial->height) &&
               memcmp(ours, trial->pixels, sizeof ours) == 0;
    }
    pixman_image_t *const made[] = {theirs, other, coverage};
    for (int i = 0; i < 3; i++)
        if (made[i] != NULL)
            pixman.image_unref(made[i]);
    if (source != NULL)
        pixels_forget(source);
    return same;
}

/* Numbers that are always the same. */
static uint32_t draw_lot(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)*state * below) >> 32);
}

static int32_t around(uint32_t *state, int32_t reach)
{
    return (int32_t)draw_lot(state, 2 * (uint32_t)reach) - reach;
}

static struct trial random_trial(uint32_t *state)
{
    struct trial trial = {.matrix = IDENTITY};
    for (int i = 0; i < HIGH * WIDE; i++) {
        const uint32_t alpha = draw_lot(state, 4) ? 255 : draw_lot(state, 256);
        trial.pixels[i] = alpha << 24;
        for (int shift = 0; shift < 24; shift += 8)
            trial.pixels[i] |= draw_lot(state, alpha + 1) << shift;
    }
    uint8_t row[WIDE];
    for (int i = 0; i < WIDE; i++)
        row[i] = (uint8_t)(draw_lot(state, 2) ? draw_lot(state, 256) : 255 * draw_lot(state, 2));
    memcpy(trial.coverages, row, sizeof row);
    trial.is_masked = (int)draw_lot(state, 2);
    trial.count = 2 + (int)draw_lot(state, STOPS - 1);
    for (int i = 0; i < trial.count; i++) {
        uint16_t channels[4];
        for (int k = 0; k < 4; k++)
            channels[k] = (uint16_t)(draw_lot(state, 4) ? draw_lot(state, 65536) : 65535);
        trial.stops[i] = (struct gradient_stop){i * 65536 / (trial.count - 1), channels[0], channels[1], channels[2],
                                                channels[3]};
    }
    for (int i = 0; i < 2; i++)
        trial.ends[i] = (struct gradient_point){around(state, 1 << 19), draw_lot(state, 4) ? around(state, 1 << 19)
                                                                                          : 4711};
    const int32_t scale = 200 + (int32_t)draw_lot(state, 2000);
    trial.matrix.rows[0][0] = scale;
    trial.matrix.rows[1][1] = -scale;
    trial.matrix.rows[0][2] = around(state, 1 << 17) - scale * (WIDE / 2);
    trial.matrix.rows[1][2] = around(state, 1 << 17);
    trial.left = (int)draw_lot(state, WIDE / 2);
    trial.width = 1 + (int)draw_lot(state, (uint32_t)(WIDE - trial.left));
    trial.height = draw_lot(state, 4) ? 1 : HIGH;
    trial.x = (int)draw_lot(state, 2000);
    trial.y = (int)draw_lot(state, 1000);
    return trial;
}

/* Colors between two stops that come out otherwise where a compiler has fused a multiplication with an addition, as many
 * do for processors that have an instruction for it. That happens to one color in ten millions, so they were searched
 * for: alpha, red, green and blue of both stops, where the stops are, and where the color is. */
static const struct {
    uint16_t left[4], right[4];
    int32_t from, to, at;
} telling[] = {
    {{35723, 17733, 21331, 54741}, {31097, 7196, 24929, 2056}, 13748, 13958, 13809},
    {{50510, 56809, 63296, 30499}, {58038, 43767, 33559, 57775}, 14864, 22585, 16363},
    {{53684, 60188, 44997, 13841}, {609, 33140, 28902, 3808}, 621, 5914, 1041},
    {{65535, 10154, 52823, 53709}, {65535, 59821, 33229, 33707}, 11816, 38858, 36302},
    {{65535, 45228, 39758, 40320}, {65535, 50114, 47219, 604}, 17038, 44174, 24481},
    {{38354, 15764, 53548, 13397}, {32625, 54351, 61727, 60909}, 9818, 10835, 10171},
    {{57460, 49098, 57415, 20154}, {97, 15164, 1546, 23089}, 18838, 40203, 19534},
    {{61145, 55231, 18543, 56217}, {2784, 23911, 59179, 42692}, 2591, 39764, 2681},
    {{65535, 35587, 54898, 61975}, {65535, 61262, 53674, 10403}, 16490, 18412, 17454},
    {{14691, 62437, 20314, 16323}, {57427, 38576, 21563, 57570}, 12459, 12999, 12998},
    {{2727, 19959, 17978, 52086}, {63137, 57276, 65466, 16335}, 4540, 7441, 6734},
    {{65535, 15407, 29753, 24107}, {65535, 19620, 29091, 43072}, 16470, 16723, 16710},
};

static struct trial telling_trial(size_t index)
{
    const uint16_t *left = telling[index].left, *right = telling[index].right;
    struct trial trial = {.matrix = IDENTITY, .ends = {{0, 0}, {1 << 16, 0}}, .count = 2, .width = 1, .height = 1};
    trial.stops[0] = (struct gradient_stop){telling[index].from, left[1], left[2], left[3], left[0]};
    trial.stops[1] = (struct gradient_stop){telling[index].to, right[1], right[2], right[3], right[0]};
    trial.matrix.rows[0][0] = trial.matrix.rows[1][1] = 0; /* all is at one place of the axis, whose length is 1 */
    trial.matrix.rows[0][2] = telling[index].at;
    return trial;
}

int pixels_are_the_same(void)
{
    uint32_t state = 20261126;
    struct trial trial;
    for (int i = 0; i < ROUNDS; i++) {
        trial = random_trial(&state);
        if (!comes_out_the_same(&trial))
            return 0;
    }
    for (size_t i = 0; i < sizeof telling / sizeof *telling; i++) {
        trial = telling_trial(i);
        if (!comes_out_the_same(&trial))
            return 0;
    }
    return 1;
}
