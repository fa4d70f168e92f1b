/* Calls that one library makes of another, led to functions of our own. */

#ifndef MANIMCAST_CALLS_H
#define MANIMCAST_CALLS_H

/* Any function's address, as POSIX has them. */
struct led_call {
    const char *name;
    void *to;
};

/* Have the library that `within` is an address of call `to` where it calls the functions of these names. 0, and nothing
 * is changed, where that cannot be done: another loader or processor, or the library has no such calls. */
int calls_lead(const void *within, const struct led_call *calls, int count);

#endif
