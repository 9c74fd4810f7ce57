package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newStore() *cobra.Command {
	store := &cobra.Command{
		Use:     "store",
		Short:   "Prepare the database of idempotency keys",
		Long:    `Store has what a database needs before a server keeps its keys in it.`,
		Example: "  idemgen store sql --dialect postgres",
		Args:    noSubcommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	store.AddCommand(newStoreSQL())
	return store
}

func newStoreSQL() *cobra.Command {
	var (
		name   string
		format string
		names  tableNames
	)
	cmd := &cobra.Command{
		Use:   "sql",
		Short: "Print the tables of a store as SQL",
		Long: `Sql prints the tables that a store needs, for a team that keeps its own
migrations: as one goose migration, or plain, which is its first half without
annotations. A store that finds these tables is content, and its Migrate has
nothing left to do. The names are those of the store's WithTablePrefix and
WithSchema.`,
		Example: `  idemgen store sql --dialect postgres > migrations/00007_idempotency.sql
  idemgen store sql --dialect sqlite --format plain | sqlite3 shop.db`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := dialectNamed(name)
			if err != nil {
				return err
			}
			text, err := d.sql(format, names)
			if err != nil {
				return err
			}
			_, err = io.WriteString(cmd.OutOrStdout(), text)
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&name, "dialect", "", "postgres, mysql (MariaDB too) or sqlite")
	flags.StringVar(&format, "format", formatGoose, "goose or plain")
	flags.StringVar(&names.prefix, "table-prefix", defaultPrefix, "`prefix` of the tables")
	flags.StringVar(&names.schema, "schema", "", "`schema` of the tables, which is created if need be (postgres only)")
	return cmd
}

func dialectNamed(name string) (*dialect, error) {
	for i := range dialects {
		if dialects[i].name == name {
			return &dialects[i], nil
		}
	}
	switch name {
	case "":
		return nil, errors.New("say --dialect postgres, mysql or sqlite")
	case "redis", "memory":
		return nil, fmt.Errorf("the store %s has no tables", name)
	}
	return nil, fmt.Errorf("--dialect %s: use postgres, mysql (MariaDB too) or sqlite", name)
}
