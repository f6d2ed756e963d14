/*
 * Containers, for an audit: what root has written of them.  Their bundles are
 * decoded as for `start`, by a child without any privilege.
 */
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit.h"
#include "privsep/boot.h"
#include "shim/settings.h"
#include "unpriv/files.h"

#define STATE_MAX 8192 /* bytes of state.json */

/* Copies a string of state.json, which has no escapes. */
static int
string_find(const char *text, const char *key, char *value, size_t size)
{
	const char *end, *start = strstr(text, key);

	if (start == NULL)
		return (-EINVAL);
	start += strlen(key);
	if ((end = strchr(start, '"')) == NULL || (size_t)(end - start) >= size)
		return (-EINVAL);
	memcpy(value, start, (size_t)(end - start));
	value[end - start] = '\0';
	return (0);
}

/* What its bundle comes to on this node, as far as that is a struct plan. */
static int
plan_read(const char *bundle, struct plan *plan)
{
	static struct settings settings;
	struct settings_reading reading;
	int error, fd;

	if ((fd = files_directory(AT_FDCWD, bundle, O_PATH)) < 0)
		return (fd);
	error = settings_read(&reading, fd);
	close(fd);
	if (error != 0 || (error = settings_begin(&reading)) != 0)
		return (error);
	error = settings_end(&reading, &settings);
	(void)waitpid(reading.child, NULL, 0);
	if (error == 0 &&
	    pread(reading.plan_fd, plan, sizeof(*plan), 0) !=
		(ssize_t)sizeof(*plan))
		error = -EIO;
	close(reading.plan_fd);
	if (error == 0 && plan->magic != PLAN_MAGIC)
		error = -EIO;
	return (error);
}

/* Fills c for the directory `id` of the runtime root; 1 if it is one that is. */
static int
container_read(int root, const char *id, struct audit_container *c)
{
	static const char path[] = "\"bundle\": \"", number[] = "\"pid\": ";
	char bundle[PATH_MAX], name[MSG_ID_SIZE + 16], status[16];
	struct files_text text;
	const char *pid;
	int error;

	memset(c, 0, sizeof(*c));
	memcpy(c->id, id, strlen(id));
	(void)snprintf(name, sizeof(name), "%s/" BOOT_STATE, c->id);
	if (files_read(root, name, STATE_MAX, &text) != 0)
		return (0);
	error = string_find(text.text, path, bundle, sizeof(bundle));
	if (error == 0)
		error = string_find(text.text, "\"status\": \"", status,
		    sizeof(status));
	pid = strstr(text.text, number);
	/* NOLINTNEXTLINE(cert-err34-c): only we can have written it. */
	c->pid = pid != NULL ? (pid_t)atoi(pid + strlen(number)) : 0;
	files_free(&text);
	if (error == 0 && strcmp(status, "stopped") == 0)
		return (0);
	if (error == 0)
		error = c->pid > 0 ? plan_read(bundle, &c->plan) : -EINVAL;
	audit_say(error == 0 ? AUDIT_PASS : AUDIT_FAIL, c->id,
	    "its bundle is understood", "%s",
	    error == 0 ? bundle : strerror(-error));
	if (error != 0)
		return (0);
	(void)snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)c->pid);
	if (audit_read(AT_FDCWD, name, c->cgroup, sizeof(c->cgroup)) < 0)
		c->cgroup[0] = '\0';
	return (1);
}

struct audit_container *
audit_containers(const struct conf *conf, size_t *count)
{
	struct audit_container *list = NULL, *more;
	char id[MSG_ID_SIZE];
	struct dirent *entry;
	DIR *directory;
	int fd;

	*count = 0;
	fd = files_directory(AT_FDCWD, conf->node.runtime_root, O_RDONLY);
	if (fd < 0 || (directory = fdopendir(fd)) == NULL) {
		if (fd >= 0)
			close(fd);
		return (NULL);
	}
	while ((entry = readdir(directory)) != NULL) {
		memset(id, 0, sizeof(id));
		if (strlen(entry->d_name) >= sizeof(id))
			continue;
		memcpy(id, entry->d_name, strlen(entry->d_name));
		if (!msg_id_valid(id))
			continue;
		more = reallocarray(list, *count + 1, sizeof(*list));
		if (more == NULL)
			break;
		list = more;
		*count += (size_t)container_read(fd, id, &list[*count]);
	}
	closedir(directory);
	return (list);
}
