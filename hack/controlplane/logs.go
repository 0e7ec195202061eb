package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"
)

// terminal is the standard output and error that the process was started with.
type terminal struct{ stdout, stderr *os.File }

// keepTerminal duplicates both: redirectLogs is going to put the log file in their place.
func keepTerminal() (terminal, error) {
	stdout, err := duplicate(os.Stdout)
	if err != nil {
		return terminal{}, err
	}
	stderr, err := duplicate(os.Stderr)
	return terminal{stdout, stderr}, err
}

func duplicate(file *os.File) (*os.File, error) {
	descriptor, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	return os.NewFile(uintptr(descriptor), file.Name()), err
}

// logFile receives what the components say.
type logFile struct {
	path  string
	file  *os.File
	begin int64 // where this run's part begins: a directory that is used again keeps its log
}

// redirectLogs puts the log file in the place of standard output and error, for all that writes
// there, be it klog or etcd's client, which has its logger from the start. The starter is to see
// two things nevertheless: what goes to terminal, and a panic.
func redirectLogs(path, stateDir string, terminal terminal) (*logFile, error) {
	if path == "" {
		path = filepath.Join(stateDir, "controlplane.log")
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("no log file: %w; name a writable one with --log", err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	for _, standard := range []*os.File{os.Stdout, os.Stderr} {
		if err := unix.Dup2(int(file.Fd()), int(standard.Fd())); err != nil {
			return nil, err
		}
	}
	return &logFile{path, file, info.Size()}, debug.SetCrashOutput(terminal.stderr, debug.CrashOptions{})
}

// zap is etcd's logger. Below warnings etcd narrates every start in a hundred lines.
func (l *logFile) zap() *zap.Logger {
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(l.file), zap.WarnLevel))
}

// serious matches klog's and zap's lines for errors and worse.
var serious = regexp.MustCompile(`^[EF]\d{4} |"level":"(error|panic|fatal)"`)

// explain adds the last serious lines of the log to an error: a temporary state directory is
// going to take its log with it.
func (l *logFile) explain(err error) error {
	const enough = 10
	content, _ := os.ReadFile(l.path)
	var lines []string
	for line := range strings.Lines(string(content[min(l.begin, int64(len(content))):])) {
		if serious.MatchString(line) {
			lines = append(lines, "\n  "+strings.TrimSpace(line))
		}
	}
	if len(lines) == 0 {
		return err
	}
	last := lines[max(0, len(lines)-enough):]
	return fmt.Errorf("%w\nthe last errors in %s:%s", err, l.path, strings.Join(last, ""))
}
