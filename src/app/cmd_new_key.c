#include <stdio.h>

#include "app/command.h"
#include "app/identity.h"
#include "app/stack.h"
#include "auth/auth.h"

static bool new_key(
	const struct config *c, const struct folder *folder, const struct stack *s, struct err *err)
{
	struct identity id;
	struct auth *auth;
	if (!identity_find(s->db, &id, err))
		return false;
	struct auth_options o = {
		.db = s->db,
		.secrets_key = &s->keys.secrets,
		.account = id.account,
		.region = id.region,
	};
	if (!auth_open(&o, &auth, err))
		return false;
	bool done = identity_new_key(s->db, auth, c, folder, &id, err);
	auth_close(auth);
	if (done)
		printf("A new root access key of account %s is in %s\n", id.account,
			id.credentials);
	return done;
}

enum exit_status new_key_run(const struct config *c)
{
	struct folder folder;
	struct stack stack;
	struct err err;
	if (!folder_find(c, &folder, &err))
		return command_fail(&err, EXIT_USAGE);
	if (!stack_open(c, &folder, false, false, &stack, &err))
		return command_fail(&err, EXIT_FAILED);
	bool done = new_key(c, &folder, &stack, &err);
	stack_close(&stack);
	return done ? EXIT_OK : command_fail(&err, EXIT_FAILED);
}
