"""Indonesian words that say nothing of an article's topic: function words and the phrases of news writing."""

from __future__ import annotations

__all__ = ["STOP_WORDS"]

STOP_WORDS = frozenset(
    """
    ada adalah adanya adapun agar akan akhirnya akibat aku alias amat anda antara apa apabila apakah apalagi asal atas atau
    awal awalnya bagai bagaimana bagi bagian bahkan bahwa baik bakal banyak baru bawah beberapa begini begitu belum benar
    berada berapa berarti berbagai berikut beserta besar betul biasa biasanya bila bisa boleh buat bukan bukanlah cara cukup
    cuma dahulu dalam dan dapat dari daripada datang demi demikian dengan depan di dia diketahui dikarenakan dilakukan
    dimana dirinya disebut ditambah diungkapkan dong dua dulu empat enggak entah gak guna hal hanya hari harus hendak hingga
    ia ialah ikut ingin ini itu itulah iya jadi jangan jauh jelas jika jikalau juga jumlah justru kah kalau kali kami kamu
    kan karena kata katanya ke kemarin kembali kemudian kepada kerap ketika khususnya kini kita kok kurang lagi lah lain
    lainnya lalu lama lanjut lantas lantaran lebih lewat lima maka makin malah mampu mana mari masa masih masing mau maupun
    melainkan melakukan melalui memang memiliki mengaku mengatakan mengenai menjadi menjelaskan menurut menyebut menyebutkan
    merasa mereka merupakan meski meskipun milik mulai mungkin nah nak namun nanti nantinya nggak nya oleh olehnya orang pada
    padahal paling pasti per perlu pernah pertama pihak pihaknya pula pun punya sama sambil sampai sana sang sangat satu saat
    saja sebab sebagai sebagaimana sebanyak sebelum sebelumnya sebesar sebuah secara sedang sedangkan sehingga sejak sejumlah
    sekadar sekali sekaligus sekarang sekitar selain selaku selalu selama selanjutnya seluruh semakin sementara sempat semua
    sendiri sendirinya seolah seorang sepanjang seperti seputar sering serta sesuai sesudah setelah setiap seusai siapa
    sini situ soal suatu sudah supaya tadi tahu tahun tak tambah tambahnya tanpa tapi telah tentang tentu tentunya terdapat
    terhadap terjadi terkait terlalu terlihat termasuk ternyata tersebut terus tetap tetapi tiap tiba tidak tidaklah tiga
    turut ucap ucapnya ujar ujarnya umum ungkap ungkapnya untuk usai via wah walau walaupun yaitu yakni yang ya tutur
    tuturnya jelasnya imbuh imbuhnya terang terangnya papar paparnya tegas tegasnya sebut sebutnya pukul wib wita wit
    senin selasa rabu kamis jumat sabtu minggu januari februari maret april mei juni juli agustus september oktober november
    desember bulan pekan kemarin lalu mendatang rp juta miliar ribu ratus puluh persen foto baca simak gambas video halaman
    sumber editor penulis redaksi antara reporter dok ist com co id www http https copyright advertisement scroll kompas
    detik detikcom tribun bisnis jpnn gelora the of to in and for is on saya dikatakan diri dll dsb dst hanyalah tim kepala
    cuman sih deh nih loh lho tuh gitu gini aja udah dah kayak bahwasanya diantaranya dimaksud hampir hendaknya inilah
    kapan kecil kedua keduanya kenapa kira maksud masalah menuju mengapa menyampaikan muncul para pantas pentingnya penuh
    sebaliknya sebetulnya segala segera seharusnya sekalipun semacam semasa sesuatu setempat setidaknya sebenarnya tandas
    tempat tentulah terdiri terlebih terutama tinggi umumnya usah waktu
    """.split()
)
