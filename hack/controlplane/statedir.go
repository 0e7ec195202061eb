package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// stateDir holds all that a control plane keeps: keys, etcd's data, kubeconfigs, the log.
type stateDir struct {
	path      string
	temporary bool
	lock      *os.File
}

// openStateDir makes a temporary directory if path is empty. It locks the directory: a second
// etcd on the same data would wait for the first for ever, without a word on the terminal.
func openStateDir(path string) (*stateDir, error) {
	dir := &stateDir{path: path, temporary: path == ""}
	var err error
	if dir.temporary {
		dir.path, err = os.MkdirTemp(temporaryRoot(), "controlplane-")
	} else {
		err = os.MkdirAll(path, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("no state directory: %w; name a writable one with --dir", err)
	}
	if dir.lock, err = lockFile(dir.file("lock")); err != nil {
		return nil, err
	}
	return dir, nil
}

// temporaryRoot prefers memory to disk: nothing here outlives the process.
func temporaryRoot() string {
	const sharedMemory = "/dev/shm"
	if info, err := os.Stat(sharedMemory); err == nil && info.IsDir() {
		return sharedMemory
	}
	return os.TempDir()
}

func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot write to the state directory: %w; name a writable one with --dir", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("%s is in use by another control plane; end that one or choose another --dir", filepath.Dir(path))
	}
	return file, err
}

func (d *stateDir) file(name string) string { return filepath.Join(d.path, name) }

// close removes what openStateDir made, and only that. It tries again, since a component that
// was abandoned may add a file meanwhile.
func (d *stateDir) close() {
	for tries := 0; d.temporary && tries < 3; tries++ {
		if os.RemoveAll(d.path) == nil {
			break
		}
	}
	_ = d.lock.Close()
}
