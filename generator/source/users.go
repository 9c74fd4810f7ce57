package source

import "github.com/idemgen/idemgen/generator/diag"

// Users returns the operations that a place belongs to: the one whose key it is,
// or those that reach the component whose key it is, by $ref.
func (d *Document) Users(pos diag.Pos) []Op {
	direct := map[Mark][]Node{} // what a component refers to
	targets := func(n Node) []Node {
		if found, known := direct[n.Mark()]; known {
			return found
		}
		var list []Node
		eachRef(n, func(ref Node) {
			if to := d.target(ref); to.Exists() {
				list = append(list, to)
			}
		})
		direct[n.Mark()] = list
		return list
	}
	var users []Op
	for _, op := range d.Ops {
		if op.Pos == pos {
			return []Op{op}
		}
		seen := map[Mark]bool{}
		open := []Node{op.Node}
		if shared := op.Item.Get("parameters"); shared.Exists() {
			open = append(open, shared)
		}
		for len(open) > 0 { // each component once
			n := open[len(open)-1]
			open = open[:len(open)-1]
			if seen[n.Mark()] {
				continue
			}
			seen[n.Mark()] = true
			if n.KeyPos() == pos {
				users = append(users, op)
				break
			}
			open = append(open, targets(n)...)
		}
	}
	return users
}
