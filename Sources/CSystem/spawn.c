#define _GNU_SOURCE
#include "CSystem.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>

int csystem_spawn(
    int *child, const char *program, char *const *arguments, char *const *environment, const char *input,
    const char *output, const char *errors, const char *directory) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t signals;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    // The streams before the directory: their paths are this process's.
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0);
    if (output) posix_spawn_file_actions_addopen(&actions, 1, output, flags, 0600);
    if (errors && output && strcmp(errors, output) == 0)
        posix_spawn_file_actions_adddup2(&actions, 1, 2);
    else if (errors)
        posix_spawn_file_actions_addopen(&actions, 2, errors, flags, 0600);
    if (directory) posix_spawn_file_actions_addchdir_np(&actions, directory);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int code = posix_spawnp(child, program, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return code;
}
