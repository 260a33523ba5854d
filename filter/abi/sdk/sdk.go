//go:build !tinygo

// Package sdk names what the binding needs of the SDK's internal package. Its import path, a replacement in the main module, lies beneath the SDK's,
// so that the compiler checks the binding against the SDK's own types: no linkname, no copied declarations.
//
// The plugin reaches the SDK through here and not through package proxywasm, whose functions for logs and metrics format their messages: that
// would link fmt, and with it os, which is a seventh of the plugin.
package sdk

import "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal"

// The SDK's side of the host.
type (
	Host       = internal.ProxyWasmHost
	Status     = internal.Status
	MapType    = internal.MapType
	LogLevel   = internal.LogLevel
	BufferType = internal.BufferType
	MetricType = internal.MetricType
	StreamType = internal.StreamType
)

// What is used of the SDK's enumerations.
const (
	StatusOK            = internal.StatusOK
	CallResponseHeaders = internal.MapTypeHttpCallResponseHeaders
	CallResponseBody    = internal.BufferTypeHttpCallResponseBody
	Gauge               = internal.MetricTypeGauge
	RequestHeaders      = internal.MapTypeHttpRequestHeaders
	ResponseHeaders     = internal.MapTypeHttpResponseHeaders
	PluginConfiguration = internal.BufferTypePluginConfiguration
	Counter             = internal.MetricTypeCounter
	LogWarn             = internal.LogLevelWarn
	LogError            = internal.LogLevelError
)

// RegisterHost makes h the host that the SDK talks to.
func RegisterHost(h Host) { internal.RegisterMockWasmHost(h) }
