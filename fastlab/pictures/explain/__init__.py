"""The report's explanations on one page: what `fastlab explain` measures, says and draws.

subject     the network, its images, what it affords, its twins
structure   shapes, receptive fields, the prior, the cost
answers     shifts with and without pooling; rotation, scale, noise
looking     kernels, maps, patches, attention
steadying   LRN, BatchNorm, dropout
sections    all of them in order; section: what each is made of
page        HTML; explain: the public function"""
