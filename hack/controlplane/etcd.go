package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd runs a single etcd member in dir and returns its client endpoint. It listens on
// Unix sockets: they need no free port, and the directory's mode keeps other users out.
func startEtcd(ctx context.Context, dir *stateDir, logs *logFile) (*embed.Etcd, string, error) {
	clients := url.URL{Scheme: "unix", Path: dir.file("etcd.sock")}
	peers := url.URL{Scheme: "unix", Path: dir.file("etcd-peer.sock")}
	const longest = 107 // sockaddr_un on Linux holds 108 bytes, the last of them zero
	if len(peers.Path) > longest {
		return nil, "", fmt.Errorf("%s is too long for a Unix socket; choose a shorter --dir", dir.path)
	}
	config := embed.NewConfig()
	config.Dir = dir.file("etcd")
	// The advertised URLs stay etcd's defaults: nobody follows them, and a socket isn't accepted.
	config.ListenClientUrls, config.ListenPeerUrls = []url.URL{clients}, []url.URL{peers}
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(logs.zap())
	// Zero in the library up to etcd 3.6, so that every request would be logged as a slow one.
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	// What is written survives the end of the process, which is all that a test asks for.
	config.UnsafeNoFsync = true
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", fmt.Errorf("starting etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, clients.String(), nil
	case err = <-etcd.Err():
	case <-etcd.Server.StopNotify():
		err = errors.New("it stopped by itself")
	case <-ctx.Done():
		err = ctx.Err()
	}
	etcd.Close()
	return nil, "", fmt.Errorf("starting etcd: %w", err)
}
