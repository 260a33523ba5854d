// Command envoy prints the path of the Envoy that the tests run, or the image where it is one. It installs what has to be installed.
package main

import (
	"context"
	"fmt"
	"os"

	"corsguard/e2e/envoy"
)

func main() {
	engine, err := envoy.Find(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(engine.Binary + engine.Image)
}
