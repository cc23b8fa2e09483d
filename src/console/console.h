/*
 * console.h - the front of the web console: its files under /console/, and the exchange of a
 * one-time link for a session. All else that the console does it does through the public APIs,
 * signed in the browser, at the same origin; there is no cookie, so that no other site can act in
 * its name.
 */
#ifndef BERTH_CONSOLE_CONSOLE_H
#define BERTH_CONSOLE_CONSOLE_H

#include "front/front.h"

/* Borrows options for the life of the server. Ask it after the fronts that serve "/". */
struct http_front console_front(struct front_options *options);

#endif
