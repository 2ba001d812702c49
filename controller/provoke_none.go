//go:build !provoke

package controller

func provoke([]byte) {}
