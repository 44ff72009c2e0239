#include "tmpdir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "store/file.h"

static struct mf_bytes bytes(const char *z)
{
	return mf_bytes_of(mf_str_c(z));
}

static void assert_content(const char *path, const char *want)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1000);
	assert_int_equal(mf_file_read(path, 1000, &b, &err), 0);
	assert_string_equal(mf_buf_str(&b).p, want);
}

static void assert_read_fails(const char *path, size_t max, enum mf_code code)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(1000);
	assert_int_equal(mf_file_read(path, max, &b, &err), -1);
	assert_int_equal(err.code, code);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(b.n, 0);
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void file_write_then_read_gives_the_same_bytes(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *path = tmpdir_path(state, "a");
	assert_int_equal(mf_file_write(path, bytes("one"), 0644, &err), 0);
	assert_content(path, "one");
	assert_int_equal(mf_file_write(path, bytes("two"), 0644, &err), 0);
	assert_content(path, "two");
	assert_int_equal(mf_file_write_fast(path, bytes(""), 0644, &err), 0);
	assert_content(path, "");
	assert_int_equal(tmpdir_entries(*state), 1);
}

static void file_mode_is_exact_whatever_the_umask(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	mode_t old = umask(0077);
	assert_int_equal(mf_file_write(tmpdir_path(state, "w"), bytes("x"), 0664, &err), 0);
	assert_int_equal(mf_dir_make(tmpdir_path(state, "d/e"), 0755, &err), 0);
	umask(0);
	assert_int_equal(mf_file_create(tmpdir_path(state, "c"), bytes("x"), 0600, &err), 0);
	umask(old);
	assert_int_equal(mode_of(tmpdir_path(state, "w")), 0664);
	assert_int_equal(mode_of(tmpdir_path(state, "c")), 0600);
	assert_int_equal(mode_of(tmpdir_path(state, "d")), 0755);
	assert_int_equal(mode_of(tmpdir_path(state, "d/e")), 0755);
}

static void file_read_appends_and_obeys_the_maximum(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *path = tmpdir_path(state, "a");
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
	assert_int_equal(mf_file_write(path, bytes("12345"), 0600, &err), 0);
	assert_int_equal(mf_buf_addz(&b, "0", &err), 0);
	assert_int_equal(mf_file_read(path, 5, &b, &err), 0);
	assert_string_equal(b.p, "012345");
	assert_int_equal(mf_file_read(path, 4, &b, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	assert_string_equal(b.p, "012345");
}

static void file_read_never_passes_the_buffers_own_maximum(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *path = tmpdir_path(state, "a");
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(4);
	assert_int_equal(mf_file_write(path, bytes("12345"), 0600, &err), 0);
	assert_int_equal(mf_file_read(path, 100, &b, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
}

static void file_read_of_endless_device_stops_at_the_maximum(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100000);
	assert_int_equal(mf_buf_addz(&b, "before", &err), 0);
	assert_int_equal(mf_file_read("/dev/zero", 50000, &b, &err), -1);
	assert_int_equal(err.code, MF_E_USAGE);
	assert_string_equal(b.p, "before");
	assert_int_equal(b.n, 6);
}

static void file_read_tells_missing_from_directory(void **state)
{
	assert_read_fails(tmpdir_path(state, "none"), 10, MF_E_NOT_FOUND);
	assert_read_fails(tmpdir_path(state, "none/none"), 10, MF_E_NOT_FOUND);
	assert_read_fails(*state, 1000, MF_E_USAGE);
}

/* Root reads everything, so the try is made as somebody else. */
static void file_read_of_unreadable_file_is_usage(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *path = tmpdir_path(state, "secret");
	assert_int_equal(mf_file_write(path, bytes("x"), 0, &err), 0);
	assert_int_equal(chmod(*state, 0755), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(10);
		if (geteuid() == 0 && setresuid(65534, 65534, 65534))
			_exit(2);
		_exit(mf_file_read(path, 10, &b, &err) == -1 && err.code == MF_E_USAGE ? 0 : 1);
	}
	int st;
	assert_int_equal(waitpid(child, &st, 0), child);
	assert_int_equal(st, 0);
}

static void file_read_takes_pipes_and_standard_input(void **state)
{
	(void)state;
	struct mf_err err = MF_ERR_INIT;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "piped", 5), 5);
	close(fds[1]);
	int saved = dup(STDIN_FILENO);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
	int rc = mf_file_read("-", 100, &b, &err);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fds[0]);
	assert_int_equal(rc, 0);
	assert_string_equal(b.p, "piped");
}

static void file_read_stored_takes_regular_files_only(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct mf_buf b MF_BUF_CLEANUP = MF_BUF_INIT(100);
	const char *fifo = tmpdir_path(state, "fifo"), *file = tmpdir_path(state, "file"),
		   *link = tmpdir_path(state, "link");
	const char *bad[] = {fifo, "/dev/zero", *state, "-"};
	enum mf_code code[] = {MF_E_FORMAT, MF_E_FORMAT, MF_E_FORMAT, MF_E_NOT_FOUND};
	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < 4; i++) {
		mf_err_clear(&err);
		assert_int_equal(mf_file_read_stored(bad[i], 100, &b, &err), -1);
		assert_int_equal(err.code, code[i]);
	}
	mf_err_clear(&err);
	assert_int_equal(mf_file_write(file, bytes("12345"), 0600, &err), 0);
	assert_int_equal(symlink("file", link), 0);
	assert_int_equal(mf_file_read_stored(link, 5, &b, &err), 0);
	assert_string_equal(b.p, "12345");
	assert_int_equal(mf_file_read_stored(file, 4, &b, &err), -1);
	assert_int_equal(err.code, MF_E_FORMAT);
}

/* /dev/stdout is such a link, also where it leads to a file. */
static void link_to_a_device_or_descriptor_is_not_replaced(void **state)
{
	static const char *const targets[] = {"/dev/null", "/proc/self/fd/0"};
	const char *link = tmpdir_path(state, "link"), *file = tmpdir_path(state, "file");
	struct mf_err err = MF_ERR_INIT;
	struct stat st;
	int keep = dup(0), fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(keep >= 0 && fd >= 0 && dup2(fd, 0) == 0);
	for (size_t i = 0; i < 2; i++) {
		mf_err_clear(&err);
		assert_int_equal(symlink(targets[i], link), 0);
		int rc = mf_file_write(link, bytes("x"), 0600, &err);
		assert_int_equal(lstat(link, &st), 0);
		assert_int_equal(unlink(link), 0);
		assert_int_equal(rc, -1);
		assert_int_equal(err.code, MF_E_IO);
		assert_true(S_ISLNK(st.st_mode));
	}
	assert_int_equal(dup2(keep, 0), 0);
	(void)close(keep);
	(void)close(fd);
}

static void file_create_never_overwrites(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *path = tmpdir_path(state, "a"), *dangling = tmpdir_path(state, "link");
	assert_int_equal(mf_file_create(path, bytes("first"), 0600, &err), 0);
	assert_int_equal(mf_file_create(path, bytes("second"), 0600, &err), -1);
	assert_int_equal(err.code, MF_E_CONFLICT);
	assert_content(path, "first");
	mf_err_clear(&err);
	assert_int_equal(symlink("nowhere", dangling), 0);
	assert_int_equal(mf_file_create(dangling, bytes("x"), 0600, &err), -1);
	assert_int_equal(err.code, MF_E_CONFLICT);
	assert_int_equal(tmpdir_entries(*state), 2);
}

/* Many processes create one name: exactly one may win. */
static void file_create_race_has_one_winner(void **state)
{
	const char *path = tmpdir_path(state, "race");
	pid_t child[8];
	for (int i = 0; i < 8; i++) {
		child[i] = fork();
		assert_true(child[i] >= 0);
		if (child[i] == 0) {
			struct mf_err err = MF_ERR_INIT;
			int rc = mf_file_create(path, bytes("x"), 0600, &err);
			_exit(rc == 0 ? 1 : err.code == MF_E_CONFLICT ? 0 : 2);
		}
	}
	int winners = 0;
	for (int i = 0; i < 8; i++) {
		int st;
		assert_int_equal(waitpid(child[i], &st, 0), child[i]);
		assert_true(WIFEXITED(st) && WEXITSTATUS(st) < 2);
		winners += WEXITSTATUS(st);
	}
	assert_int_equal(winners, 1);
	assert_int_equal(tmpdir_entries(*state), 1);
}

static void file_write_makes_no_directories(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *path = tmpdir_path(state, "no/file");
	assert_int_equal(mf_file_write(path, bytes("x"), 0600, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	assert_int_equal(err.sys, ENOENT);
	assert_non_null(strstr(err.msg, path));
	assert_int_equal(tmpdir_entries(*state), 0);
}

static void file_write_refuses_directories_and_pipes(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *fifo = tmpdir_path(state, "fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(mf_file_write(fifo, bytes("x"), 0600, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	mf_err_clear(&err);
	assert_int_equal(mf_file_write(*state, bytes("x"), 0600, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	struct stat st;
	assert_true(stat(fifo, &st) == 0 && S_ISFIFO(st.st_mode));
	assert_int_equal(tmpdir_entries(*state), 1);
}

/* RLIMIT_FSIZE stands for a full disk: the write fails in the middle. */
static void file_write_on_full_disk_keeps_the_old_file(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *path = tmpdir_path(state, "a");
	assert_int_equal(mf_file_write(path, bytes("old"), 0600, &err), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, 100});
		char big[4096] = {0};
		int rc = mf_file_write(path, (struct mf_bytes){(uint8_t *)big, sizeof(big)}, 0600, &err);
		_exit(rc == -1 && err.code == MF_E_IO && err.sys == EFBIG && strstr(err.msg, path) ? 0 : 1);
	}
	int st;
	assert_int_equal(waitpid(child, &st, 0), child);
	assert_int_equal(st, 0);
	assert_content(path, "old");
	assert_int_equal(tmpdir_entries(*state), 1);
}

static void dir_make_is_idempotent_and_refuses_files(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *dir = tmpdir_path(state, "a//b/c/"), *file = tmpdir_path(state, "a/f");
	assert_int_equal(mf_dir_make(dir, 0700, &err), 0);
	assert_int_equal(mf_dir_make(dir, 0700, &err), 0);
	assert_int_equal(mf_dir_make("/", 0700, &err), 0);
	assert_true(mf_file_exists(tmpdir_path(state, "a/b/c")));
	assert_int_equal(mf_file_write(file, bytes(""), 0600, &err), 0);
	assert_int_equal(mf_dir_make(file, 0700, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	mf_err_clear(&err);
	assert_int_equal(mf_dir_make(tmpdir_path(state, "a/f/g"), 0700, &err), -1);
	assert_int_equal(err.sys, ENOTDIR);
}

static void shared_directories_take_setgid_and_the_groups_right_from_their_parent(void **state)
{
	static const struct {
		unsigned parent, made;
	} rows[] = {{02775, 02775}, {02770, 02775}, {02755, 02755}, {0775, 0755}, {0777, 0755}, {0700, 0755}};
	static const mode_t masks[] = {0, 077};
	for (size_t i = 0; i < 2 * sizeof rows / sizeof rows[0]; i++) {
		struct mf_err err = MF_ERR_INIT;
		struct stat st;
		const char *parent = tmpdir_path(state, "p"), *dir = tmpdir_path(state, "p/a");
		assert_int_equal(mkdir(parent, 0700), 0);
		assert_int_equal(chmod(parent, rows[i / 2].parent), 0);
		mode_t mask = umask(masks[i % 2]);
		int rc = mf_dir_make_shared(tmpdir_path(state, "p/a//b/"), &err);
		(void)umask(mask);
		assert_int_equal(rc, 0);
		assert_int_equal(mf_dir_make_shared(dir, &err), 0);
		assert_int_equal(stat(dir, &st), 0);
		assert_int_equal(st.st_mode & 07777, rows[i / 2].made);
		assert_int_equal(stat(tmpdir_path(state, "p/a/b"), &st), 0);
		assert_int_equal(st.st_mode & 07777, rows[i / 2].made);
		assert_int_equal(tmpdir_entries(parent), 1);
		assert_int_equal(tmpdir_entries(dir), 1);
		assert_int_equal(rmdir(tmpdir_path(state, "p/a/b")), 0);
		assert_int_equal(rmdir(tmpdir_path(state, "p/a")) | rmdir(tmpdir_path(state, "p")), 0);
	}
}

/* It stands before the C library's. */
static int directories_synced;
int fsync(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	directories_synced += S_ISDIR(st.st_mode);
	return (int)syscall(SYS_fsync, fd);
}

static void new_directories_and_links_are_on_disk(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *from = tmpdir_path(state, "a/from");
	directories_synced = 0;
	assert_int_equal(mf_dir_make_shared(tmpdir_path(state, "a/b/c"), &err), 0);
	assert_int_equal(directories_synced, 3);
	assert_int_equal(mf_file_write(from, bytes("x"), 0644, &err), 0);
	assert_int_equal(directories_synced, 4);
	assert_int_equal(mf_file_link(from, tmpdir_path(state, "a/b/to"), &err), 0);
	assert_int_equal(directories_synced, 5);
}

static void shared_directory_is_no_file_and_needs_its_parent(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *file = tmpdir_path(state, "f");
	assert_int_equal(mf_file_write(file, bytes(""), 0600, &err), 0);
	assert_int_equal(mf_dir_make_shared(file, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	mf_err_clear(&err);
	assert_int_equal(mf_dir_make_shared(tmpdir_path(state, "f/g"), &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	assert_int_equal(tmpdir_entries(*state), 1);
}

static void link_replaces_and_leaves_nothing_else(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	struct stat a, b;
	const char *from = tmpdir_path(state, "from"), *path = tmpdir_path(state, "path");
	assert_int_equal(mf_file_link(from, path, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
	mf_err_clear(&err);
	assert_int_equal(mf_file_write(from, bytes("new"), 0644, &err), 0);
	assert_int_equal(mf_file_write(path, bytes("old"), 0644, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(mf_file_link(from, path, &err), 0);
		assert_content(path, "new");
		assert_int_equal(stat(from, &a) | stat(path, &b), 0);
		assert_true(a.st_ino == b.st_ino && a.st_nlink == 2);
		assert_int_equal(tmpdir_entries(*state), 2);
	}
}

static void sweep_removes_old_temporary_files_and_empty_directories(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const char *file = tmpdir_path(state, ".tmp-0123456789abcdef01234567"),
		   *dir = tmpdir_path(state, ".tmp-0123456789abcdef0123456a"),
		   *link = tmpdir_path(state, ".tmp-0123456789abcdef0123456b");
	assert_int_equal(mf_file_write(file, bytes("x"), 0600, &err) | mkdir(dir, 0700), 0);
	assert_int_equal(symlink("elsewhere", link), 0);
	int64_t now = time(NULL);
	mf_dir_sweep(*state, now + 86390);
	assert_int_equal(tmpdir_entries(*state), 3);
	mf_dir_sweep(*state, now + 86410);
	assert_int_equal(tmpdir_entries(*state), 1); /* a link is nothing of ours */
	mf_dir_sweep("/nonexistent", now);
}

static void links_that_lead_out_of_a_directory_are_found(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	char *dir MF_FREE = strdup(tmpdir_path(state, "dir")),
		  *link MF_FREE = strdup(tmpdir_path(state, "link"));
	char *beside MF_FREE = strdup(tmpdir_path(state, "dir2"));
	assert_int_equal(mf_dir_make(tmpdir_path(state, "dir/sub"), 0700, &err), 0);
	assert_int_equal(mkdir(beside, 0700), 0);
	assert_int_equal(symlink("sub", tmpdir_path(state, "dir/in")), 0);
	assert_int_equal(symlink("../dir2", tmpdir_path(state, "dir/out")), 0);
	assert_int_equal(symlink("nothing", tmpdir_path(state, "dir/nowhere")), 0);
	assert_int_equal(symlink("loop", tmpdir_path(state, "dir/loop")), 0);
	assert_int_equal(symlink("dir", link), 0);
	static const char *const inside[] = {"sub", "in", "sub/none/none", "in/none", "none"};
	static const char *const bad[] = {"out", "out/none", "nowhere", "nowhere/none", "loop"};
	const char *const bases[] = {dir, link};
	for (size_t i = 0; i < 10; i++) {
		char *path MF_FREE = mf_path_join(bases[i % 2], inside[i / 2], NULL);
		assert_int_equal(mf_path_check_inside(bases[i % 2], path, &err), 0);
	}
	for (size_t i = 0; i < 10; i++) {
		char *path MF_FREE = mf_path_join(bases[i % 2], bad[i / 2], NULL);
		mf_err_clear(&err);
		assert_int_equal(mf_path_check_inside(bases[i % 2], path, &err), -1);
		assert_int_equal(err.code, MF_E_FORMAT);
		mf_err_clear(&err);
		assert_int_equal(mf_dir_make_inside(bases[i % 2], path, 0700, &err), -1);
		assert_int_equal(err.code, MF_E_IO);
	}
	assert_int_equal(tmpdir_entries(beside), 0);
	mf_err_clear(&err);
	assert_int_equal(
	    mf_dir_make_inside(tmpdir_path(state, "new"), tmpdir_path(state, "new/a/b"), 0700, &err), 0);
}

static void path_join_puts_one_slash_between_parts(void **state)
{
	(void)state;
	char *p = mf_path_join("a", "b", "c.json", NULL);
	assert_string_equal(p, "a/b/c.json");
	free(p);
	p = mf_path_join("/", "b/", "c", NULL);
	assert_string_equal(p, "/b/c");
	free(p);
	p = mf_path_join("a", NULL);
	assert_string_equal(p, "a");
	free(p);
}

#define NAMES ((size_t)1000)

static int note_name(void *arg, const char *name, const struct stat *st, struct mf_err *err)
{
	(void)err;
	assert_true(st->st_size == 1);
	char *names = arg;
	size_t n = strlen(names);
	(void)snprintf(names + n, NAMES - n, "%s ", name);
	return 0;
}

static void a_walk_follows_no_link(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	char names[NAMES] = "";
	static const char *const files[] = {"d/a", "d/t/b", "d/t/one/c", "d/t/one/deeper/e", "other/o"};
	assert_int_equal(mf_dir_make(tmpdir_path(state, "d/t/one/deeper"), 0755, &err), 0);
	assert_int_equal(mf_dir_make(tmpdir_path(state, "other"), 0755, &err), 0);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		assert_int_equal(mf_file_write(tmpdir_path(state, files[i]), bytes("x"), 0644, &err), 0);
	assert_int_equal(symlink("../../other", tmpdir_path(state, "d/t/link")), 0);
	assert_int_equal(symlink("a", tmpdir_path(state, "d/soft")), 0);
	assert_int_equal(symlink("../other", tmpdir_path(state, "d/away")), 0);
	assert_int_equal(mf_dir_walk(tmpdir_path(state, "d"), NULL, note_name, names, &err), 0);
	assert_string_equal(names, "a ");
	names[0] = 0;
	assert_int_equal(mf_dir_walk(tmpdir_path(state, "d"), "t", note_name, names, &err), 0);
	assert_true(strcmp(names, "t/b t/one/c ") == 0 || strcmp(names, "t/one/c t/b ") == 0);
	names[0] = 0;
	assert_int_equal(mf_dir_walk(tmpdir_path(state, "d"), "none", note_name, names, &err), 0);
	assert_int_equal(mf_dir_walk(tmpdir_path(state, "none"), NULL, note_name, names, &err), 0);
	assert_string_equal(names, "");
	assert_int_equal(mf_dir_walk(tmpdir_path(state, "d"), "away", note_name, names, &err), -1);
	assert_int_equal(err.code, MF_E_IO);
}

static void only_old_files_are_removed_and_through_no_link(void **state)
{
	struct mf_err err = MF_ERR_INIT;
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	int64_t now = (int64_t)time(NULL);
	char dir[512];
	(void)snprintf(dir, sizeof dir, "%s", tmpdir_path(state, "d"));
	assert_int_equal(mf_dir_make(tmpdir_path(state, "d/t"), 0755, &err), 0);
	assert_int_equal(mf_dir_make(tmpdir_path(state, "other"), 0755, &err), 0);
	assert_int_equal(mf_file_write(tmpdir_path(state, "d/t/a"), bytes("x"), 0644, &err), 0);
	assert_int_equal(mf_file_write(tmpdir_path(state, "other/a"), bytes("x"), 0644, &err), 0);
	assert_int_equal(symlink("../other", tmpdir_path(state, "d/link")), 0);
	assert_int_equal(symlink("t/a", tmpdir_path(state, "d/soft")), 0);
	/* It has that name for less time than it was written for. */
	assert_int_equal(utimensat(AT_FDCWD, tmpdir_path(state, "d/t/a"), old, 0), 0);
	assert_int_equal(mf_dir_remove_old(dir, "t/a", now - 100, &err), MF_ABSENT);
	assert_int_equal(mf_dir_remove_old(dir, "t/none", now + 100, &err), MF_ABSENT);
	assert_int_equal(mf_dir_remove_old(dir, "none/a", now + 100, &err), MF_ABSENT);
	assert_int_equal(mf_dir_remove_old(dir, "soft", now + 100, &err), MF_ABSENT);
	assert_int_equal(mf_dir_remove_old(dir, "t", now + 100, &err), MF_ABSENT);
	assert_int_equal(mf_dir_remove_old(dir, "link/a", now + 100, &err), MF_FAILED);
	assert_int_equal(err.code, MF_E_IO);
	mf_err_clear(&err);
	assert_int_equal(mf_dir_remove_old(dir, "t/a", now + 100, &err), MF_FOUND);
	assert_false(mf_file_exists(tmpdir_path(state, "d/t/a")));
	assert_true(mf_file_exists(tmpdir_path(state, "other/a")));
	assert_true(mf_dir_clock(dir) >= now && mf_dir_clock(dir) < now + 100);
	assert_int_equal(mf_dir_clock(tmpdir_path(state, "none")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    tmpdir_test(file_write_then_read_gives_the_same_bytes),
	    tmpdir_test(file_mode_is_exact_whatever_the_umask),
	    tmpdir_test(file_read_appends_and_obeys_the_maximum),
	    tmpdir_test(file_read_never_passes_the_buffers_own_maximum),
	    tmpdir_test(file_read_of_endless_device_stops_at_the_maximum),
	    tmpdir_test(file_read_tells_missing_from_directory),
	    tmpdir_test(file_read_of_unreadable_file_is_usage),
	    tmpdir_test(file_read_takes_pipes_and_standard_input),
	    tmpdir_test(file_read_stored_takes_regular_files_only),
	    tmpdir_test(link_to_a_device_or_descriptor_is_not_replaced),
	    tmpdir_test(file_create_never_overwrites),
	    tmpdir_test(file_create_race_has_one_winner),
	    tmpdir_test(file_write_makes_no_directories),
	    tmpdir_test(file_write_refuses_directories_and_pipes),
	    tmpdir_test(file_write_on_full_disk_keeps_the_old_file),
	    tmpdir_test(dir_make_is_idempotent_and_refuses_files),
	    tmpdir_test(shared_directories_take_setgid_and_the_groups_right_from_their_parent),
	    tmpdir_test(new_directories_and_links_are_on_disk),
	    tmpdir_test(shared_directory_is_no_file_and_needs_its_parent),
	    tmpdir_test(link_replaces_and_leaves_nothing_else),
	    tmpdir_test(sweep_removes_old_temporary_files_and_empty_directories),
	    tmpdir_test(links_that_lead_out_of_a_directory_are_found),
	    tmpdir_test(path_join_puts_one_slash_between_parts),
	    tmpdir_test(a_walk_follows_no_link),
	    tmpdir_test(only_old_files_are_removed_and_through_no_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
