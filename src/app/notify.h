/* notify.h - tells systemd how the server is (sd_notify(3)): one datagram to $NOTIFY_SOCKET, no
 * library. */
#ifndef BERTH_APP_NOTIFY_H
#define BERTH_APP_NOTIFY_H

/* Each does nothing when there is no $NOTIFY_SOCKET; failures do not matter to the server. */
void notify_ready(void);
void notify_reloading(void); /* end it with notify_ready */
void notify_stopping(void);

#endif
