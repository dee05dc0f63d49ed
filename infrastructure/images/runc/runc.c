/*
 * runc for machines that withhold CAP_SYS_RESOURCE, as some virtual machines and nested containers do.
 *
 * There, the real runc fails on every privileged container ("unable to apply caps") and on every negative OOM score.
 * This wrapper takes the capability out of the container's config.json (on create and run) and of the --process file
 * (on exec), raises oomScoreAdj to its own, and then becomes the real runc. Where the capability is there it changes
 * nothing, so that one node image fits every host.
 *
 * The files are edited as text: inside a JSON string the quotes of both patterns would be escaped, so they can only
 * match whole values and keys.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CAP_SYS_RESOURCE = 24 };

static const char *const real_runc[] = {"/usr/sbin/runc", "/usr/bin/runc", "/usr/local/bin/runc.real"};
static const char capability[] = "\"CAP_SYS_RESOURCE\"";
static const char score[] = "\"oomScoreAdj\":";

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static long own_score(void)
{
    long value = 0;
    FILE *file = fopen("/proc/self/oom_score_adj", "r");
    if (file) {
        if (fscanf(file, "%ld", &value) != 1)
            value = 0;
        fclose(file);
    }
    return value;
}

/* Whole file as a string; room for `spare` more bytes stays behind it. */
static char *slurp(const char *path, size_t spare)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) < 0)
        fail(path);
    char *text = calloc(1, (size_t)about.st_size + spare + 1);
    if (!text)
        fail("calloc");
    for (off_t done = 0; done < about.st_size;) {
        ssize_t got = read(file, text + done, (size_t)(about.st_size - done));
        if (got < 0)
            fail(path);
        if (got == 0)
            break;
        done += got;
    }
    close(file);
    return text;
}

static void cut(char *from, char *to) { memmove(from, to, strlen(to) + 1); }

static char *skip_space(char *at) { return at + strspn(at, " \t\r\n"); }

/* Removes the capability from each list it stands in, with one of the commas beside it. */
static void drop_capability(char *text)
{
    for (char *at; (at = strstr(text, capability));) {
        char *from = at, *to = skip_space(at + strlen(capability));
        if (*to == ',') {
            to++;
        } else {
            while (from > text && strchr(" \t\r\n", from[-1]))
                from--;
            if (from > text && from[-1] == ',')
                from--;
        }
        cut(from, to);
    }
}

/* Nobody may lower an OOM score below its own without the capability. */
static void raise_score(char *text, long lowest)
{
    char number[24];
    for (char *at = text; (at = strstr(at, score));) {
        char *value = skip_space(at + strlen(score)), *end;
        at = value;
        if (strtol(value, &end, 10) >= lowest || end == value)
            continue;
        size_t length = (size_t)snprintf(number, sizeof number, "%ld", lowest);
        memmove(value + length, end, strlen(end) + 1);
        memcpy(value, number, length);
    }
}

static void adapt(const char *path)
{
    char *text = slurp(path, 4096);
    drop_capability(text);
    raise_score(text, own_score());
    int file = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    size_t length = strlen(text);
    if (file < 0 || write(file, text, length) != (ssize_t)length || close(file) < 0)
        fail(path);
    free(text);
}

/* The value of an option given as `--name value` or `--name=value`. */
static const char *option(char **argv, const char *name, const char *brief)
{
    size_t length = strlen(name);
    for (; *argv; argv++) {
        if ((!strcmp(*argv, name) || !strcmp(*argv, brief)) && argv[1])
            return argv[1];
        if (!strncmp(*argv, name, length) && (*argv)[length] == '=')
            return *argv + length + 1;
    }
    return NULL;
}

static int names(char **argv, const char *command)
{
    for (; *argv; argv++)
        if (!strcmp(*argv, command))
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE) != 1) {
        const char *process = option(argv + 1, "--process", "-p");
        if (names(argv + 1, "exec") && process)
            adapt(process);
        else if (names(argv + 1, "create") || names(argv + 1, "run")) {
            char path[PATH_MAX];
            const char *bundle = option(argv + 1, "--bundle", "-b");
            snprintf(path, sizeof path, "%s/config.json", bundle ? bundle : ".");
            adapt(path);
        }
    }
    for (size_t i = 0; i < sizeof real_runc / sizeof *real_runc; i++)
        execv(real_runc[i], argv);
    fail("runc");
}
