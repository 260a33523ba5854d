package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

func newConvert(p *program) *cobra.Command {
	return &cobra.Command{Use: "convert", RunE: func(*cobra.Command, []string) error { return errors.New("not built yet") }}
}
