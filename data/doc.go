// Package data brings examples to a training loop: data sets, what is done to them, and minibatches.
//
// A Dataset is a finite set of examples with random access. MNIST, FashionMNIST, Blobs and Spirals make known ones,
// and Open finds these by name; A9A, W8A and Mushrooms are sets of indicators that come with the package. New, NewBytes
// and NewSparse take arrays, ReadIDX, ReadCSV and ReadLIBSVM files, Func a function. To write one of your own,
// implement the five methods of Dataset and pass it to Check in a test.
//
// Subset, Limit, Split, Standardize, Affine, Flatten, Reshape and Autoencode make data sets of data sets. Nothing is
// copied: an example is gathered, scaled and converted when it is read, over byte storage in a single pass.
//
// A Loader cuts a data set into batches. What an epoch holds follows from the seed and the epoch's number alone, so
// that a run stopped in the middle goes on with the very batches it would have seen:
//
//	l := &data.Loader[float32]{Data: mnist.Train, Batch: 128, Shuffle: true, Seed: 1}
//	for b, err := range l.Epoch(ctx, epoch, skip) {
//		if err != nil {
//			return err
//		}
//		// b.X holds b.N images, b.Y their classes
//	}
//
// Everything random comes from a generator written out in this package: the same seed gives the same order with
// every version of Go. No function prints, and none panics because of an argument or a file.
package data
